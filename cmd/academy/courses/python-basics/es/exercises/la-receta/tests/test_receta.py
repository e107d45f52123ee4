import pytest

import receta
from receta import escalar, harina_para, tazas_a_gramos


@pytest.mark.parametrize(
    "cantidad, personas, esperado",
    [(2, 4, 2), (2, 8, 4), (2, 6, 3), (3, 2, 1.5), (1, 1, 0.25)],
)
def test_la_receta_es_para_cuatro_si_no_se_dice_otra_cosa(cantidad, personas, esperado):
    assert escalar(cantidad, personas) == pytest.approx(esperado)


def test_la_receta_puede_ser_para_otro_numero_de_personas():
    assert escalar(300, 9, base=6) == pytest.approx(450)
    assert escalar(300, 3, 6) == pytest.approx(150)


def test_una_taza_de_harina_son_120_gramos():
    assert tazas_a_gramos(1) == 120
    assert tazas_a_gramos(1.5) == 180


def test_no_todo_pesa_lo_mismo():
    assert tazas_a_gramos(2, gramos_por_taza=200) == 400


def test_los_gramos_son_enteros():
    gramos = tazas_a_gramos(1 / 3, 100)
    assert gramos == 33
    assert isinstance(gramos, int)


def test_la_harina_depende_de_los_invitados():
    assert harina_para(4) == 240
    assert harina_para(6) == 360
    assert harina_para(1) == 60


def test_la_receta_puede_llevar_mas_tazas():
    assert harina_para(6, tazas=3) == 540


def test_harina_para_usa_las_otras_dos_funciones(monkeypatch):
    monkeypatch.setattr(receta, "escalar", lambda cantidad, personas, base=4: 10)
    monkeypatch.setattr(receta, "tazas_a_gramos", lambda tazas, gramos_por_taza=120: tazas + 1)
    assert harina_para(4) == 11
