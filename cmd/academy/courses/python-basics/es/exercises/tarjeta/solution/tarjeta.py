def iniciales(nombre, apellido):
    """Devuelve unas iniciales como 'Á. N.'."""
    nombre = nombre.strip().upper()
    apellido = apellido.strip().upper()
    return f"{nombre[0]}. {apellido[0]}."


def linea(cargo, precio):
    """Devuelve el cargo a la izquierda y el precio a la derecha."""
    importe = f"{precio:.2f}".replace(".", ",")
    return f"{cargo[:12]:<12}{importe:>8}"
