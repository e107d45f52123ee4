def countdown(start):
    """Return the text of a countdown from `start` to liftoff."""
    text = ""
    # Add each number to the text here.
    return text
