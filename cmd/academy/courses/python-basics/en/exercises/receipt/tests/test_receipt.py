import unittest

from receipt import change_due, total_price


class TestTotalPrice(unittest.TestCase):
    def test_one_item_costs_its_price(self):
        self.assertEqual(total_price(250, 1), 250)

    def test_three_items_cost_three_times_the_price(self):
        self.assertEqual(total_price(250, 3), 750)

    def test_no_items_cost_nothing(self):
        self.assertEqual(total_price(250, 0), 0)

    def test_the_price_stays_a_whole_number(self):
        self.assertIsInstance(total_price(99, 7), int)


class TestChangeDue(unittest.TestCase):
    def test_paying_too_much_gives_change(self):
        self.assertEqual(change_due(250, 3, 1000), 250)

    def test_paying_exactly_gives_no_change(self):
        self.assertEqual(change_due(199, 2, 398), 0)

    def test_paying_too_little_gives_what_is_missing_as_a_negative_number(self):
        self.assertEqual(change_due(500, 2, 800), -200)


if __name__ == "__main__":
    unittest.main()
