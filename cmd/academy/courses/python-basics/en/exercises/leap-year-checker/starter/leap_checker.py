def finds_no_mistake(is_leap):
    """Return True if is_leap answers right for all the years we try."""
    return is_leap(2024)
