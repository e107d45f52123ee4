def telefono_de(agenda, nombre):
    """Devuelve el primer teléfono de una persona, o None."""
    telefonos = agenda.get(nombre, [])
    if not telefonos:
        return None
    return telefonos[0]


def de_quien_es(agenda, telefono):
    """Devuelve el nombre de quien tiene ese teléfono, o None."""
    for nombre, telefonos in agenda.items():
        if telefono in telefonos:
            return nombre
    return None


def nombres_con(agenda, prefijo):
    """Devuelve, ordenados, los nombres con algún teléfono de ese prefijo."""
    nombres = []
    for nombre, telefonos in agenda.items():
        if any(telefono.startswith(prefijo) for telefono in telefonos):
            nombres.append(nombre)
    return sorted(nombres)
