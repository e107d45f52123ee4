def to_fahrenheit(celsius):
    """Return a temperature in degrees Fahrenheit."""
    return celsius * 9 / 5 + 32


def to_celsius(fahrenheit):
    """Return a temperature in degrees Celsius."""
    return (fahrenheit - 32) * 5 / 9


def describe(celsius, digits=1):
    """Return a text such as '20.0 °C = 68.0 °F'."""
    fahrenheit = to_fahrenheit(celsius)
    return f"{celsius:.{digits}f} °C = {fahrenheit:.{digits}f} °F"
