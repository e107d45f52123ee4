"""A shop.

def not_a_function(): in a docstring
"""
import os
from dataclasses import dataclass

RATE = 0.21
PRICES = {
"tea": 180,
}


@dataclass
class Item:
    """What is sold."""

    name: str

    def total(self, n):
        return n * self.price


# Sums it all up.
# Twice.
def receipt(items, *,
            rate=RATE):
    text = """
def inside_a_string():
"""
    return sum(items)


async def later():
    await receipt([])


if __name__ == "__main__":
    print(receipt([]))
