"""Resume un registro de lluvia.

El registro es un archivo de texto con un día por línea: la fecha, un punto y
coma y los litros por metro cuadrado (que son milímetros), con coma decimal.

    2024-03-01;11,5
    2024-03-02;0

Las líneas vacías y las que empiezan por # no cuentan. Si una línea no se
entiende, se avisa con su número y se resume el resto.

Pruébalo con un archivo tuyo:

    python3 registro_lluvia.py lluvia.csv
"""

import sys


def numero(texto):
    """Convierte en número un texto con coma decimal, como '11,5'."""
    return float(texto.replace(",", "."))


def con_coma(valor):
    """Escribe un número con un decimal y coma, como '11,5'."""
    return f"{valor:.1f}".replace(".", ",")


def leer_linea(linea):
    """Devuelve la fecha y los milímetros de una línea.

    Lanza ValueError si falta el punto y coma o el número.
    """
    fecha, separador, milimetros = linea.partition(";")
    if not separador:
        raise ValueError("falta el punto y coma")
    return fecha.strip(), numero(milimetros)


def leer_registro(lineas):
    """Devuelve los días como parejas (fecha, milímetros), y los problemas."""
    dias = []
    problemas = []
    for posicion, linea in enumerate(lineas, start=1):
        linea = linea.strip()
        if not linea or linea.startswith("#"):
            continue
        try:
            dias.append(leer_linea(linea))
        except ValueError as error:
            problemas.append(f"línea {posicion}: {error}")
    return dias, problemas


def resumen(dias):
    """Devuelve una frase que resume los días."""
    if not dias:
        return "No hay ningún día anotado."
    total = sum(milimetros for _, milimetros in dias)
    fecha, maximo = max(dias, key=lambda dia: dia[1])
    return (
        f"{len(dias)} días anotados, {con_coma(total)} mm en total; "
        f"el más lluvioso, {fecha} ({con_coma(maximo)} mm)."
    )


def main():
    if len(sys.argv) != 2:
        print("uso: python3 registro_lluvia.py ARCHIVO")
        return 2
    with open(sys.argv[1], encoding="utf-8") as archivo:
        dias, problemas = leer_registro(archivo)
    for problema in problemas:
        print(problema)
    print(resumen(dias))
    return 1 if problemas else 0


if __name__ == "__main__":
    sys.exit(main())
