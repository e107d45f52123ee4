"""Summarise a log of temperatures.

The log is a text file with one reading a line: a date, a comma and a
temperature in degrees Celsius.

    2024-03-01,11.5
    2024-03-02,9

Empty lines and lines that begin with # are ignored. A line that can't be
read is reported with its number, and the rest is still summarised.

Run it with a file of yours:

    python3 temperature_log.py readings.csv
"""

import sys


def parse_line(line):
    """Return the date and the temperature of one line.

    Raise ValueError if the line has no comma or no number.
    """
    date, comma, degrees = line.partition(",")
    if not comma:
        raise ValueError("there is no comma")
    return date.strip(), float(degrees)


def read_log(lines):
    """Return the readings as (date, degrees) pairs, and the problems found."""
    readings = []
    problems = []
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            readings.append(parse_line(line))
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    return readings, problems


def summary(readings):
    """Return one sentence about the readings."""
    if not readings:
        return "No readings."
    degrees = [value for _, value in readings]
    average = sum(degrees) / len(degrees)
    warmest_day, warmest = max(readings, key=lambda reading: reading[1])
    return f"{len(readings)} readings, average {average:.1f} °C, warmest {warmest:.1f} °C on {warmest_day}."


def main():
    if len(sys.argv) != 2:
        print("usage: python3 temperature_log.py FILE")
        return 2
    with open(sys.argv[1], encoding="utf-8") as file:
        readings, problems = read_log(file)
    for problem in problems:
        print(problem)
    print(summary(readings))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
