import unittest

from cuenta import por_persona, sobran, total_ronda


class TestTotalRonda(unittest.TestCase):
    def test_una_bebida_cuesta_su_precio(self):
        self.assertEqual(total_ronda(180, 1), 180)

    def test_cuatro_bebidas_cuestan_cuatro_veces_mas(self):
        self.assertEqual(total_ronda(250, 4), 1000)

    def test_sin_bebidas_no_se_paga_nada(self):
        self.assertEqual(total_ronda(250, 0), 0)


class TestReparto(unittest.TestCase):
    def test_si_la_division_es_exacta_no_sobra_nada(self):
        self.assertEqual(por_persona(1000, 4), 250)
        self.assertEqual(sobran(1000, 4), 0)

    def test_si_no_es_exacta_sobran_centimos(self):
        self.assertEqual(por_persona(1000, 3), 333)
        self.assertEqual(sobran(1000, 3), 1)

    def test_cada_parte_es_un_numero_entero(self):
        self.assertIsInstance(por_persona(1000, 4), int)

    def test_quien_va_solo_lo_paga_todo(self):
        self.assertEqual(por_persona(735, 1), 735)
        self.assertEqual(sobran(735, 1), 0)

    def test_las_partes_y_lo_que_sobra_suman_el_total(self):
        for total in [999, 1000, 1234]:
            for personas in [2, 3, 7]:
                self.assertEqual(por_persona(total, personas) * personas + sobran(total, personas), total)


if __name__ == "__main__":
    unittest.main()
