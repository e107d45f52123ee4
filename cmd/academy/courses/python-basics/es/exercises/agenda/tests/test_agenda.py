import copy
import unittest

from agenda import de_quien_es, nombres_con, telefono_de

AGENDA = {
    "Sara": [],
    "Ione": ["600111222", "944000111", "600999888"],
    "Biel": ["600333444"],
    "Águeda": ["944555666"],
}


class TestAgenda(unittest.TestCase):
    def setUp(self):
        self.agenda = copy.deepcopy(AGENDA)

    def tearDown(self):
        self.assertEqual(self.agenda, AGENDA, "la agenda no se debe modificar")

    def test_devuelve_el_primer_telefono(self):
        self.assertEqual(telefono_de(self.agenda, "Ione"), "600111222")
        self.assertEqual(telefono_de(self.agenda, "Biel"), "600333444")

    def test_quien_no_tiene_telefono_no_rompe_nada(self):
        self.assertIsNone(telefono_de(self.agenda, "Sara"))

    def test_quien_no_esta_en_la_agenda_tampoco(self):
        self.assertIsNone(telefono_de(self.agenda, "Nadie"))
        self.assertIsNone(telefono_de({}, "Ione"))

    def test_encuentra_de_quien_es_cualquiera_de_sus_telefonos(self):
        self.assertEqual(de_quien_es(self.agenda, "600111222"), "Ione")
        self.assertEqual(de_quien_es(self.agenda, "600999888"), "Ione")
        self.assertEqual(de_quien_es(self.agenda, "944555666"), "Águeda")

    def test_un_telefono_que_no_es_de_nadie(self):
        self.assertIsNone(de_quien_es(self.agenda, "600"))

    def test_los_nombres_salen_ordenados_y_una_sola_vez(self):
        self.assertEqual(nombres_con(self.agenda, "600"), ["Biel", "Ione"])

    def test_el_prefijo_va_al_principio(self):
        self.assertEqual(nombres_con(self.agenda, "944"), ["Ione", "Águeda"])
        self.assertEqual(nombres_con(self.agenda, "222"), [])

    def test_el_prefijo_vacio_vale_para_quien_tenga_telefono(self):
        self.assertEqual(nombres_con(self.agenda, ""), ["Biel", "Ione", "Águeda"])


if __name__ == "__main__":
    unittest.main()
