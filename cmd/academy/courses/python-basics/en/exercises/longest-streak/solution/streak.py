def longest_streak(diary):
    """Return the length of the longest run of 'x'."""
    best = 0
    current = 0
    for day in diary:
        if day == "x":
            current += 1
            if current > best:
                best = current
        else:
            current = 0
    return best
