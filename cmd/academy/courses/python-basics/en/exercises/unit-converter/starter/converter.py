def to_fahrenheit(celsius):
    """Return a temperature in degrees Fahrenheit."""
    return celsius


def to_celsius(fahrenheit):
    """Return a temperature in degrees Celsius."""
    return fahrenheit


def describe(celsius, digits=1):
    """Return a text such as '20.0 °C = 68.0 °F'."""
    return ""
