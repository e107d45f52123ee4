def average(marks):
    """Return the average of the marks, or None if there are none."""
    if not marks:
        return None
    return sum(marks) / len(marks)


def averages(book):
    """Return a dictionary from name to average, without unmarked students."""
    result = {}
    for name, marks in book.items():
        if marks:
            result[name] = average(marks)
    return result


def best_student(book):
    """Return the name with the highest average, or None."""
    best = None
    results = averages(book)
    for name in sorted(results):
        if best is None or results[name] > results[best]:
            best = name
    return best
