def sin_errores(es_palindromo):
    """Devuelve True si la función acierta con todos nuestros textos."""
    return es_palindromo("reconocer")
