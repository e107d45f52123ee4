CASES = {
    2024: True,
    2023: False,
    2022: False,
    1900: False,
    2100: False,
    2000: True,
    1600: True,
}


def finds_no_mistake(is_leap):
    """Return True if is_leap answers right for all the years we try."""
    for year, expected in CASES.items():
        if bool(is_leap(year)) != expected:
            return False
    return True
