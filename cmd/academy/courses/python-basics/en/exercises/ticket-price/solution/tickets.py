def ticket_price(age, is_student, day):
    """Return the price of a ticket in cents."""
    if age < 4:
        price = 0
    elif age <= 12:
        price = 500
    elif age >= 65:
        price = 600
    elif is_student:
        price = 700
    else:
        price = 900
    if day.lower() == "wednesday" and price > 650:
        price = 650
    return price
