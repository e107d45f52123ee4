def tarifa(edad, tiene_abono, es_festivo):
    """Devuelve lo que se paga por un viaje, en céntimos."""
    return 160
