def add_task(tasks, title):
    """Add a task and return its id."""
    raise NotImplementedError("write add_task")


def complete_task(tasks, task_id):
    """Mark a task as done."""
    raise NotImplementedError("write complete_task")


def remove_task(tasks, task_id):
    """Take a task out of the list and return its title."""
    raise NotImplementedError("write remove_task")


def pending(tasks):
    """Return the titles of the tasks that aren't done."""
    raise NotImplementedError("write pending")


def summary(tasks):
    """Return how many tasks are done, as a text."""
    raise NotImplementedError("write summary")
