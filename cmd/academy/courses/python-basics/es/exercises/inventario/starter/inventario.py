def recibir(inventario, producto, unidades):
    """Suma unidades de un producto y devuelve cuántas hay."""
    raise NotImplementedError("escribe recibir")


def vender(inventario, producto, unidades):
    """Resta unidades de un producto y devuelve cuántas quedan."""
    raise NotImplementedError("escribe vender")


def faltan(inventario, minimo=5):
    """Devuelve, ordenados, los productos que están por acabarse."""
    raise NotImplementedError("escribe faltan")


def resumen(inventario):
    """Devuelve cuántas unidades y productos hay, como texto."""
    raise NotImplementedError("escribe resumen")
