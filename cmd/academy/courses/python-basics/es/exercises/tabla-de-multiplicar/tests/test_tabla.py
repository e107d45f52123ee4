import pytest

from tabla import fila


@pytest.mark.parametrize(
    "numero, hasta, esperado",
    [
        (7, 4, "7 - 14 - 21 - 28"),
        (2, 10, "2 - 4 - 6 - 8 - 10 - 12 - 14 - 16 - 18 - 20"),
        (3, 1, "3"),
        (0, 3, "0 - 0 - 0"),
    ],
)
def test_la_fila_tiene_todos_los_resultados(numero, hasta, esperado):
    assert fila(numero, hasta) == esperado


def test_hasta_cero_no_hay_resultados():
    assert fila(5, 0) == ""


def test_tambien_vale_con_numeros_negativos():
    assert fila(-2, 3) == "-2 - -4 - -6"


def test_devuelve_el_texto_y_no_imprime_nada(capsys):
    fila(7, 4)
    assert capsys.readouterr().out == ""
