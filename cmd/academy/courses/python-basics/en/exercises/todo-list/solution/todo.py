def find_task(tasks, task_id):
    """Return the task with this id; raise KeyError if there is none."""
    for task in tasks:
        if task["id"] == task_id:
            return task
    raise KeyError(f"there is no task {task_id}")


def add_task(tasks, title):
    """Add a task and return its id."""
    title = title.strip()
    if not title:
        raise ValueError("a task needs a title")
    task_id = max((task["id"] for task in tasks), default=0) + 1
    tasks.append({"id": task_id, "title": title, "done": False})
    return task_id


def complete_task(tasks, task_id):
    """Mark a task as done."""
    find_task(tasks, task_id)["done"] = True


def remove_task(tasks, task_id):
    """Take a task out of the list and return its title."""
    task = find_task(tasks, task_id)
    tasks.remove(task)
    return task["title"]


def pending(tasks):
    """Return the titles of the tasks that aren't done."""
    return [task["title"] for task in tasks if not task["done"]]


def summary(tasks):
    """Return how many tasks are done, as a text."""
    if not tasks:
        return "Nothing to do"
    done = len(tasks) - len(pending(tasks))
    return f"{done} of {len(tasks)} done"
