def longest_streak(diary):
    """Return the length of the longest run of 'x'."""
    best = 0
    for day in diary:
        pass
    return best
