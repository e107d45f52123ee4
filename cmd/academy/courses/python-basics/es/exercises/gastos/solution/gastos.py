def centimos(texto):
    """Convierte un importe como '12,50' en céntimos enteros."""
    return round(float(texto.replace(",", ".")) * 100)


def leer_gastos(ruta):
    """Devuelve las parejas (nombre, céntimos) y las líneas equivocadas."""
    gastos = []
    equivocadas = []
    with open(ruta, encoding="utf-8") as archivo:
        for posicion, linea in enumerate(archivo, start=1):
            if not linea.strip():
                continue
            nombre, _, importe = linea.partition(";")
            nombre = nombre.strip()
            try:
                importe = centimos(importe)
            except ValueError:
                equivocadas.append(posicion)
                continue
            if nombre:
                gastos.append((nombre, importe))
            else:
                equivocadas.append(posicion)
    return gastos, equivocadas


def total_por_persona(ruta):
    """Devuelve los céntimos que ha gastado cada persona."""
    gastos, _ = leer_gastos(ruta)
    if not gastos:
        raise ValueError(f"{ruta} no tiene ningún gasto válido")
    totales = {}
    for nombre, importe in gastos:
        totales[nombre] = totales.get(nombre, 0) + importe
    return totales
