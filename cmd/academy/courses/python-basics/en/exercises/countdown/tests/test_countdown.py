import pytest

from countdown import countdown


@pytest.mark.parametrize(
    "start, expected",
    [
        (1, "1, Liftoff!"),
        (3, "3, 2, 1, Liftoff!"),
        (10, "10, 9, 8, 7, 6, 5, 4, 3, 2, 1, Liftoff!"),
    ],
)
def test_it_counts_down_to_liftoff(start, expected):
    assert countdown(start) == expected


def test_from_zero_there_is_nothing_to_count():
    assert countdown(0) == "Liftoff!"


def test_it_returns_the_text_and_prints_nothing(capsys):
    countdown(3)
    assert capsys.readouterr().out == ""
