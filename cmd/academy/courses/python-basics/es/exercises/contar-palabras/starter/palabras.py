def separar(texto):
    """Devuelve las palabras en minúsculas y sin signos."""
    return texto.split()


def contar(texto, ignorar=()):
    """Devuelve cuántas veces aparece cada palabra."""
    return {}


def mas_usadas(texto, cuantas, ignorar=()):
    """Devuelve las parejas (palabra, veces) más frecuentes."""
    return []
