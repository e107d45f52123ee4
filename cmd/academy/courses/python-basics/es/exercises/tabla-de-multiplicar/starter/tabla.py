def fila(numero, hasta):
    """Devuelve los primeros múltiplos de un número, separados por guiones."""
    texto = ""
    # Añade aquí cada resultado.
    return texto
