def initials(first, last):
    """Return initials such as 'A.L.'."""
    return ""


def badge_line(name, width):
    """Return the name centred between two bars, `width` characters apart."""
    return ""
