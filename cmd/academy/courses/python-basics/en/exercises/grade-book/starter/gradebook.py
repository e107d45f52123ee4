def average(marks):
    """Return the average of the marks, or None if there are none."""


def averages(book):
    """Return a dictionary from name to average, without unmarked students."""


def best_student(book):
    """Return the name with the highest average, or None."""
