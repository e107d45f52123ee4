def limpiar(producto):
    """Devuelve el nombre como se guarda; lanza ValueError si está vacío."""
    producto = producto.strip().lower()
    if not producto:
        raise ValueError("el producto necesita un nombre")
    return producto


def comprobar(unidades):
    """Lanza ValueError si las unidades no son al menos 1."""
    if unidades < 1:
        raise ValueError(f"las unidades deben ser al menos 1, no {unidades}")


def recibir(inventario, producto, unidades):
    """Suma unidades de un producto y devuelve cuántas hay."""
    producto = limpiar(producto)
    comprobar(unidades)
    inventario[producto] = inventario.get(producto, 0) + unidades
    return inventario[producto]


def vender(inventario, producto, unidades):
    """Resta unidades de un producto y devuelve cuántas quedan."""
    producto = limpiar(producto)
    comprobar(unidades)
    quedan = inventario[producto]
    if unidades > quedan:
        raise ValueError(f"solo quedan {quedan} unidades de {producto}")
    inventario[producto] = quedan - unidades
    return inventario[producto]


def faltan(inventario, minimo=5):
    """Devuelve, ordenados, los productos que están por acabarse."""
    return sorted(producto for producto, unidades in inventario.items() if unidades < minimo)


def resumen(inventario):
    """Devuelve cuántas unidades y productos hay, como texto."""
    if not inventario:
        return "Inventario vacío"
    return f"{sum(inventario.values())} unidades de {len(inventario)} productos"
