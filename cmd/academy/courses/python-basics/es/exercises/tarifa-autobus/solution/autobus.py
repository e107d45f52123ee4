def tarifa(edad, tiene_abono, es_festivo):
    """Devuelve lo que se paga por un viaje, en céntimos."""
    if edad < 6:
        return 0
    if edad <= 17:
        precio = 80
    elif edad >= 65:
        precio = 60
    else:
        precio = 160
    if tiene_abono and es_festivo:
        return precio // 2
    elif tiene_abono:
        return 0
    elif es_festivo:
        return precio + 20
    return precio
