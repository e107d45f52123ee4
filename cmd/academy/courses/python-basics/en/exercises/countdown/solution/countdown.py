def countdown(start):
    """Return the text of a countdown from `start` to liftoff."""
    text = ""
    for number in range(start, 0, -1):
        text += f"{number}, "
    return text + "Liftoff!"
