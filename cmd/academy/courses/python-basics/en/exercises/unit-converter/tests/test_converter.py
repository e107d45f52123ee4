import pytest

from converter import describe, to_celsius, to_fahrenheit


@pytest.mark.parametrize("celsius, fahrenheit", [(0, 32), (100, 212), (-40, -40), (37, 98.6)])
def test_both_directions_agree_with_the_thermometer(celsius, fahrenheit):
    assert to_fahrenheit(celsius) == pytest.approx(fahrenheit)
    assert to_celsius(fahrenheit) == pytest.approx(celsius)


@pytest.mark.parametrize("celsius", [-273.15, -1, 0.5, 21.55, 1000])
def test_there_and_back_again_changes_nothing(celsius):
    assert to_celsius(to_fahrenheit(celsius)) == pytest.approx(celsius)


def test_describe_shows_one_decimal_unless_told_otherwise():
    assert describe(20) == "20.0 °C = 68.0 °F"


def test_describe_shows_as_many_decimals_as_you_ask_for():
    assert describe(21.75, digits=2) == "21.75 °C = 71.15 °F"
    assert describe(21.75, digits=0) == "22 °C = 71 °F"


def test_the_number_of_digits_may_come_without_its_name():
    assert describe(-40, 0) == "-40 °C = -40 °F"
