def total_ronda(precio, bebidas):
    """Devuelve lo que cuesta la ronda, en céntimos."""
    return precio * bebidas


def por_persona(total, personas):
    """Devuelve los céntimos enteros que paga cada persona."""
    return total // personas


def sobran(total, personas):
    """Devuelve los céntimos que quedan por pagar tras el reparto."""
    return total % personas
