import pytest

from badge import badge_line, initials


@pytest.mark.parametrize(
    "first, last, expected",
    [
        ("Ada", "Lovelace", "A.L."),
        ("grace", "hopper", "G.H."),
        ("  alan ", "  TURING", "A.T."),
        ("élise", "ørsted", "É.Ø."),
    ],
)
def test_initials_are_capitals_with_dots(first, last, expected):
    assert initials(first, last) == expected


def test_a_short_name_stands_in_the_middle():
    assert badge_line("Ada", 7) == "|  Ada  |"


def test_a_name_that_fits_exactly_has_no_spaces():
    assert badge_line("Grace", 5) == "|Grace|"


def test_a_long_name_is_cut():
    assert badge_line("Bartholomew", 5) == "|Barth|"


def test_spaces_around_the_name_do_not_count():
    assert badge_line("   Ada ", 3) == "|Ada|"


@pytest.mark.parametrize("width", [1, 4, 9, 20])
def test_the_line_always_has_the_same_length(width):
    assert len(badge_line("Katherine", width)) == width + 2
