import unittest

from detector import sin_errores

TILDES = str.maketrans("áéíóú", "aeiou")


def limpio(texto):
    return texto.lower().replace(" ", "").translate(TILDES)


def correcta(texto):
    letras = limpio(texto)
    return letras == letras[::-1]


class TestSinErrores(unittest.TestCase):
    def descubre(self, defectuosa):
        self.assertIs(sin_errores(defectuosa), False, "esta función está mal y no te has dado cuenta")

    def test_la_correcta_se_acepta(self):
        self.assertIs(sin_errores(correcta), True)

    def test_otra_manera_de_hacerla_bien_se_acepta(self):
        def con_bucle(texto):
            letras = limpio(texto)
            for i in range(len(letras) // 2):
                if letras[i] != letras[-1 - i]:
                    return False
            return True

        self.assertIs(sin_errores(con_bucle), True)

    def test_descubre_la_que_distingue_mayusculas(self):
        def defectuosa(texto):
            letras = texto.replace(" ", "").translate(TILDES)
            return letras == letras[::-1]

        self.descubre(defectuosa)

    def test_descubre_la_que_no_quita_los_espacios(self):
        def defectuosa(texto):
            letras = texto.lower().translate(TILDES)
            return letras == letras[::-1]

        self.descubre(defectuosa)

    def test_descubre_la_que_no_quita_las_tildes(self):
        def defectuosa(texto):
            letras = texto.lower().replace(" ", "")
            return letras == letras[::-1]

        self.descubre(defectuosa)

    def test_descubre_la_que_solo_mira_los_extremos(self):
        def defectuosa(texto):
            letras = limpio(texto)
            return letras == "" or letras[0] == letras[-1]

        self.descubre(defectuosa)

    def test_descubre_la_que_rechaza_el_texto_vacio(self):
        self.descubre(lambda texto: texto != "" and correcta(texto))

    def test_descubre_a_quien_dice_siempre_lo_mismo(self):
        self.descubre(lambda texto: True)
        self.descubre(lambda texto: False)

    def test_descubre_la_que_responde_al_reves(self):
        self.descubre(lambda texto: not correcta(texto))


if __name__ == "__main__":
    unittest.main()
