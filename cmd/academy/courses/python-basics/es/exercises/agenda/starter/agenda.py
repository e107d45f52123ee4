def telefono_de(agenda, nombre):
    """Devuelve el primer teléfono de una persona, o None."""


def de_quien_es(agenda, telefono):
    """Devuelve el nombre de quien tiene ese teléfono, o None."""


def nombres_con(agenda, prefijo):
    """Devuelve, ordenados, los nombres con algún teléfono de ese prefijo."""
