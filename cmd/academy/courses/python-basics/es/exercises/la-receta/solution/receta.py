def escalar(cantidad, personas, base=4):
    """Devuelve la cantidad necesaria para otro número de personas."""
    return cantidad * personas / base


def tazas_a_gramos(tazas, gramos_por_taza=120):
    """Devuelve los gramos, redondeados a un entero."""
    return round(tazas * gramos_por_taza)


def harina_para(personas, tazas=2):
    """Devuelve los gramos de harina para ese número de personas."""
    return tazas_a_gramos(escalar(tazas, personas))
