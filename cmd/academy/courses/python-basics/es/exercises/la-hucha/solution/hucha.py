def semanas_para_ahorrar(meta, ahorro, propina):
    """Devuelve las semanas que faltan para llegar a la meta, o None."""
    if meta > 0 and ahorro == 0 and propina == 0:
        return None
    semanas = 0
    guardado = 0
    while guardado < meta:
        semanas += 1
        guardado += ahorro
        if semanas % 4 == 0:
            guardado += propina
    return semanas
