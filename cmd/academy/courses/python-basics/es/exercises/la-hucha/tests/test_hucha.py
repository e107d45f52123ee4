import unittest

from hucha import semanas_para_ahorrar


class TestSemanasParaAhorrar(unittest.TestCase):
    def test_sin_propina_es_una_division(self):
        self.assertEqual(semanas_para_ahorrar(100, 10, 0), 10)

    def test_si_no_llega_justo_hace_falta_una_semana_mas(self):
        self.assertEqual(semanas_para_ahorrar(101, 10, 0), 11)

    def test_la_propina_llega_cada_cuatro_semanas(self):
        self.assertEqual(semanas_para_ahorrar(100, 10, 20), 8)

    def test_antes_de_la_cuarta_semana_no_hay_propina(self):
        self.assertEqual(semanas_para_ahorrar(30, 10, 1000), 3)
        self.assertEqual(semanas_para_ahorrar(31, 10, 1000), 4)

    def test_solo_con_propinas_tambien_se_llega(self):
        self.assertEqual(semanas_para_ahorrar(50, 0, 20), 12)

    def test_con_la_meta_a_cero_no_hay_que_esperar(self):
        self.assertEqual(semanas_para_ahorrar(0, 10, 5), 0)
        self.assertEqual(semanas_para_ahorrar(0, 0, 0), 0)

    def test_si_no_entra_nada_no_se_llega_nunca(self):
        self.assertIsNone(semanas_para_ahorrar(100, 0, 0))

    def test_llegar_justo_es_llegar(self):
        self.assertEqual(semanas_para_ahorrar(60, 10, 20), 4)


if __name__ == "__main__":
    unittest.main()
