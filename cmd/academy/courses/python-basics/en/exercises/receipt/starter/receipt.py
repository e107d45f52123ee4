def total_price(unit_price, quantity):
    """Return the price of `quantity` items, in cents."""
    return ...


def change_due(unit_price, quantity, paid):
    """Return what the customer gets back, in cents."""
    return ...
