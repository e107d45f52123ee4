import unittest

from autobus import tarifa


class TestTarifa(unittest.TestCase):
    def comprueba(self, esperado, edad, abono=False, festivo=False):
        obtenido = tarifa(edad, abono, festivo)
        self.assertEqual(obtenido, esperado, f"edad {edad}, abono {abono}, festivo {festivo}")
        self.assertIsInstance(obtenido, int)

    def test_una_persona_adulta_paga_160(self):
        self.comprueba(160, 40)

    def test_los_menores_de_6_viajan_gratis(self):
        self.comprueba(0, 0)
        self.comprueba(0, 5)

    def test_de_6_a_17_se_pagan_80(self):
        self.comprueba(80, 6)
        self.comprueba(80, 17)

    def test_a_los_18_se_paga_como_adulto(self):
        self.comprueba(160, 18)

    def test_a_los_64_aun_se_paga_como_adulto(self):
        self.comprueba(160, 64)

    def test_a_partir_de_los_65_se_pagan_60(self):
        self.comprueba(60, 65)
        self.comprueba(60, 99)

    def test_con_abono_no_se_paga_entre_semana(self):
        for edad in [3, 12, 40, 70]:
            self.comprueba(0, edad, abono=True)

    def test_con_abono_en_festivo_se_paga_la_mitad(self):
        self.comprueba(40, 12, abono=True, festivo=True)
        self.comprueba(80, 40, abono=True, festivo=True)
        self.comprueba(30, 70, abono=True, festivo=True)

    def test_sin_abono_en_festivo_se_pagan_20_mas(self):
        self.comprueba(100, 12, festivo=True)
        self.comprueba(180, 40, festivo=True)
        self.comprueba(80, 70, festivo=True)

    def test_los_pequenos_viajan_gratis_tambien_en_festivo(self):
        self.comprueba(0, 5, festivo=True)
        self.comprueba(0, 5, abono=True, festivo=True)


if __name__ == "__main__":
    unittest.main()
