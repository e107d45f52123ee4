def fila(numero, hasta):
    """Devuelve los primeros múltiplos de un número, separados por guiones."""
    texto = ""
    for factor in range(1, hasta + 1):
        if texto:
            texto += " - "
        texto += str(numero * factor)
    return texto
