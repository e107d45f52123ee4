def initials(first, last):
    """Return initials such as 'A.L.'."""
    first = first.strip().upper()
    last = last.strip().upper()
    return f"{first[0]}.{last[0]}."


def badge_line(name, width):
    """Return the name centred between two bars, `width` characters apart."""
    text = name.strip()[:width]
    return f"|{text:^{width}}|"
