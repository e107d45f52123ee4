import pytest

from tarjeta import iniciales, linea


@pytest.mark.parametrize(
    "nombre, apellido, esperado",
    [
        ("Rosa", "Chacel", "R. C."),
        ("ángela", "núñez", "Á. N."),
        ("  gabriel ", "  GARCÍA", "G. G."),
        ("íñigo", "ñíguez", "Í. Ñ."),
    ],
)
def test_las_iniciales_van_en_mayuscula_y_con_punto(nombre, apellido, esperado):
    assert iniciales(nombre, apellido) == esperado


def test_el_cargo_va_a_la_izquierda_y_el_precio_a_la_derecha():
    assert linea("Diseño", 35.5) == "Diseño         35,50"


def test_un_cargo_de_doce_letras_cabe_justo():
    assert linea("Programación", 40) == "Programación   40,00"


def test_un_cargo_demasiado_largo_se_corta():
    assert linea("Administración", 28) == "Administraci   28,00"


def test_los_decimales_se_escriben_con_coma():
    assert "." not in linea("Foto", 9.99)
    assert linea("Foto", 9.999).endswith("   10,00")


@pytest.mark.parametrize("precio", [0, 7.5, 123.45, 9999.99])
def test_todas_las_lineas_miden_lo_mismo(precio):
    assert len(linea("Diseño", precio)) == 20
