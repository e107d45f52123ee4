import unittest

from inventario import faltan, recibir, resumen, vender


class TestInventario(unittest.TestCase):
    def setUp(self):
        self.tienda = {"pan": 15, "leche": 4, "café": 0}

    def test_recibir_suma_y_dice_cuantas_hay(self):
        self.assertEqual(recibir(self.tienda, "pan", 5), 20)
        self.assertEqual(self.tienda["pan"], 20)

    def test_un_producto_nuevo_entra_en_el_inventario(self):
        self.assertEqual(recibir(self.tienda, "miel", 2), 2)
        self.assertEqual(self.tienda, {"pan": 15, "leche": 4, "café": 0, "miel": 2})

    def test_mayusculas_y_espacios_no_crean_otro_producto(self):
        recibir(self.tienda, "  Pan ", 1)
        vender(self.tienda, "LECHE", 1)
        self.assertEqual(self.tienda, {"pan": 16, "leche": 3, "café": 0})

    def test_vender_resta_y_dice_cuantas_quedan(self):
        self.assertEqual(vender(self.tienda, "pan", 6), 9)
        self.assertEqual(self.tienda["pan"], 9)

    def test_se_puede_vender_hasta_la_ultima_y_el_producto_sigue_ahi(self):
        self.assertEqual(vender(self.tienda, "leche", 4), 0)
        self.assertEqual(self.tienda["leche"], 0)

    def test_no_se_vende_mas_de_lo_que_hay(self):
        with self.assertRaises(ValueError):
            vender(self.tienda, "leche", 5)
        self.assertEqual(self.tienda["leche"], 4)

    def test_no_se_vende_lo_que_no_esta_en_el_inventario(self):
        with self.assertRaises(KeyError):
            vender(self.tienda, "miel", 1)
        self.assertNotIn("miel", self.tienda)

    def test_las_unidades_son_al_menos_una(self):
        for unidades in [0, -3]:
            with self.assertRaises(ValueError):
                recibir(self.tienda, "pan", unidades)
            with self.assertRaises(ValueError):
                vender(self.tienda, "pan", unidades)
        self.assertEqual(self.tienda, {"pan": 15, "leche": 4, "café": 0})

    def test_un_producto_sin_nombre_se_rechaza(self):
        for nombre in ["", "   "]:
            with self.assertRaises(ValueError):
                recibir(self.tienda, nombre, 1)
        self.assertEqual(len(self.tienda), 3)

    def test_faltan_los_que_estan_por_debajo_del_minimo(self):
        self.assertEqual(faltan(self.tienda), ["café", "leche"])

    def test_justo_en_el_minimo_no_faltan(self):
        self.assertEqual(faltan(self.tienda, minimo=4), ["café"])
        self.assertEqual(faltan(self.tienda, 16), ["café", "leche", "pan"])

    def test_el_resumen_cuenta_unidades_y_productos(self):
        self.assertEqual(resumen(self.tienda), "19 unidades de 3 productos")

    def test_un_inventario_vacio_lo_dice(self):
        self.assertEqual(resumen({}), "Inventario vacío")

    def test_agotado_no_es_lo_mismo_que_vacio(self):
        self.assertEqual(resumen({"café": 0}), "0 unidades de 1 productos")


if __name__ == "__main__":
    unittest.main()
