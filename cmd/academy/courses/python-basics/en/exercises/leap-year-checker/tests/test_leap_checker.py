import unittest

from leap_checker import finds_no_mistake


def correct(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


class TestFindsNoMistake(unittest.TestCase):
    def assert_found(self, wrong):
        self.assertIs(finds_no_mistake(wrong), False, "this function is wrong, and you did not notice")

    def test_the_correct_function_is_accepted(self):
        self.assertIs(finds_no_mistake(correct), True)

    def test_another_correct_way_of_writing_it_is_accepted(self):
        self.assertIs(finds_no_mistake(lambda year: year % (400 if year % 100 == 0 else 4) == 0), True)

    def test_every_fourth_year_is_found(self):
        self.assert_found(lambda year: year % 4 == 0)

    def test_never_in_a_year_that_ends_a_century_is_found(self):
        self.assert_found(lambda year: year % 4 == 0 and year % 100 != 0)

    def test_only_every_400_years_is_found(self):
        self.assert_found(lambda year: year % 400 == 0)

    def test_every_century_is_found(self):
        self.assert_found(lambda year: year % 4 == 0 or year % 100 == 0)

    def test_every_even_year_is_found(self):
        self.assert_found(lambda year: year % 2 == 0 and (year % 100 != 0 or year % 400 == 0))

    def test_always_and_never_are_found(self):
        self.assert_found(lambda year: True)
        self.assert_found(lambda year: False)

    def test_the_opposite_is_found(self):
        self.assert_found(lambda year: not correct(year))


if __name__ == "__main__":
    unittest.main()
