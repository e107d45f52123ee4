SIGNOS = '.,;:¿?¡!«»"—'


def separar(texto):
    """Devuelve las palabras en minúsculas y sin signos."""
    for signo in SIGNOS:
        texto = texto.replace(signo, " ")
    return texto.lower().split()


def contar(texto, ignorar=()):
    """Devuelve cuántas veces aparece cada palabra."""
    veces = {}
    for palabra in separar(texto):
        if palabra not in ignorar:
            veces[palabra] = veces.get(palabra, 0) + 1
    return veces


def mas_usadas(texto, cuantas, ignorar=()):
    """Devuelve las parejas (palabra, veces) más frecuentes."""
    parejas = sorted(contar(texto, ignorar).items(), key=lambda pareja: (-pareja[1], pareja[0]))
    return parejas[:cuantas]
