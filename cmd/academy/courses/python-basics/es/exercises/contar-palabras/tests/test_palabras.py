from palabras import contar, mas_usadas, separar

TRABALENGUAS = """Tres tristes tigres
tragaban trigo en un trigal.
¿En un trigal? ¡En un trigal, tres tigres!"""


def test_las_palabras_salen_en_orden_y_en_minuscula():
    assert separar("El Mar ÁRTICO") == ["el", "mar", "ártico"]


def test_los_signos_no_forman_parte_de_las_palabras():
    assert separar('¿Quién? —dijo—. «Nadie»; ¡ni yo!: "nada".') == [
        "quién", "dijo", "nadie", "ni", "yo", "nada",
    ]


def test_un_signo_sin_espacios_tambien_separa():
    assert separar("uno,dos;tres") == ["uno", "dos", "tres"]


def test_sin_palabras_no_hay_nada():
    assert separar(" ¡! ... ") == []


def test_cada_palabra_se_cuenta():
    assert contar("No es no, y sí es sí.") == {"no": 2, "es": 2, "y": 1, "sí": 2}


def test_las_tildes_distinguen_palabras():
    assert contar("¿Cómo? Como como.") == {"cómo": 1, "como": 2}


def test_se_pueden_ignorar_palabras():
    assert contar("el sol y el mar", ignorar=["el", "y"]) == {"sol": 1, "mar": 1}


def test_las_mas_usadas_van_primero():
    assert mas_usadas(TRABALENGUAS, 4) == [("en", 3), ("trigal", 3), ("un", 3), ("tigres", 2)]


def test_a_igualdad_manda_el_orden_alfabetico():
    assert mas_usadas("pera uva kiwi uva higo", 4) == [
        ("uva", 2), ("higo", 1), ("kiwi", 1), ("pera", 1),
    ]


def test_lo_ignorado_no_cuenta_entre_las_mas_usadas():
    assert mas_usadas(TRABALENGUAS, 2, ignorar=["en", "un"]) == [("trigal", 3), ("tigres", 2)]


def test_si_se_piden_demasiadas_salen_todas():
    assert mas_usadas("uno dos", 10) == [("dos", 1), ("uno", 1)]
