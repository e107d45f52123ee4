def semanas_para_ahorrar(meta, ahorro, propina):
    """Devuelve las semanas que faltan para llegar a la meta, o None."""
    semanas = 0
    guardado = 0
    return semanas
