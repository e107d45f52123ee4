import pytest

from gastos import leer_gastos, total_por_persona


@pytest.fixture
def escribe(tmp_path):
    def escribe_archivo(texto):
        ruta = tmp_path / "gastos.txt"
        ruta.write_text(texto, encoding="utf-8")
        return ruta

    return escribe_archivo


def test_los_gastos_salen_en_el_orden_del_archivo(escribe):
    ruta = escribe("Leo;12,50\nMar;8\n")
    assert leer_gastos(ruta) == ([("Leo", 1250), ("Mar", 800)], [])


def test_los_espacios_y_las_lineas_vacias_no_importan(escribe):
    ruta = escribe("\n  Leo ;  12,50 \n\n   \nMar; 8")
    assert leer_gastos(ruta) == ([("Leo", 1250), ("Mar", 800)], [])


def test_las_lineas_equivocadas_se_dicen_por_su_numero(escribe):
    ruta = escribe("Leo; 12,50\nMar; 8\n\nLeo; un pico\nMar 4,20\nLeo; 3,05\n")
    assert leer_gastos(ruta) == ([("Leo", 1250), ("Mar", 800), ("Leo", 305)], [4, 5])


@pytest.mark.parametrize("linea", ["Leo", "Leo;", "; 5", "   ; 5", "Leo; 1; 2", "Leo; 1,2,3", "5; Leo"])
def test_esta_linea_esta_mal(escribe, linea):
    assert leer_gastos(escribe(linea + "\n")) == ([], [1])


@pytest.mark.parametrize("importe, esperado", [("0,29", 29), ("1,1", 110), ("4,35", 435), ("1001,10", 100110)])
def test_los_centimos_son_exactos(escribe, importe, esperado):
    gastos, _ = leer_gastos(escribe(f"Leo; {importe}\n"))
    assert gastos == [("Leo", esperado)]
    assert isinstance(gastos[0][1], int)


def test_los_nombres_conservan_tildes_y_enes(escribe):
    assert leer_gastos(escribe("Íñigo; 1\n"))[0] == [("Íñigo", 100)]


def test_cada_persona_tiene_su_total(escribe):
    ruta = escribe("Leo; 12,50\nMar; 8\nLeo; 3,05\nMar; nada\n")
    assert total_por_persona(ruta) == {"Leo": 1555, "Mar": 800}


def test_un_archivo_sin_gastos_se_rechaza_por_su_nombre(escribe):
    with pytest.raises(ValueError, match="gastos.txt"):
        total_por_persona(escribe("aquí no hay nada\n"))


def test_si_el_archivo_no_existe_se_dice(tmp_path):
    with pytest.raises(FileNotFoundError):
        leer_gastos(tmp_path / "no-existe.txt")
