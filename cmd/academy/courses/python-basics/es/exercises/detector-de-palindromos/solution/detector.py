CASOS = {
    "reconocer": True,
    "Ana": True,
    "yo hago yoga hoy": True,
    "Dábale arroz a la zorra el abad": True,
    "ñ": True,
    "": True,
    "python": False,
    "casas": False,
    "salsas": False,
}


def sin_errores(es_palindromo):
    """Devuelve True si la función acierta con todos nuestros textos."""
    for texto, esperado in CASOS.items():
        if bool(es_palindromo(texto)) != esperado:
            return False
    return True
