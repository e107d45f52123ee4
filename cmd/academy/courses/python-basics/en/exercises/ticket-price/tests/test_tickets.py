import unittest

from tickets import ticket_price


class TestTicketPrice(unittest.TestCase):
    def check(self, expected, age, is_student=False, day="Friday"):
        got = ticket_price(age, is_student, day)
        self.assertEqual(got, expected, f"age {age}, student {is_student}, {day}")

    def test_an_adult_pays_the_full_price(self):
        self.check(900, 30)

    def test_a_student_pays_less(self):
        self.check(700, 20, is_student=True)

    def test_children_under_4_enter_free(self):
        self.check(0, 0)
        self.check(0, 3)

    def test_children_from_4_to_12_pay_500(self):
        self.check(500, 4)
        self.check(500, 12)

    def test_at_13_the_full_price_begins(self):
        self.check(900, 13)

    def test_at_64_it_is_still_the_full_price(self):
        self.check(900, 64)

    def test_from_65_on_it_is_600(self):
        self.check(600, 65)
        self.check(600, 90)

    def test_age_comes_before_being_a_student(self):
        self.check(500, 10, is_student=True)
        self.check(600, 70, is_student=True)

    def test_on_wednesday_nobody_pays_more_than_650(self):
        self.check(650, 30, day="Wednesday")
        self.check(650, 20, is_student=True, day="Wednesday")

    def test_on_wednesday_cheaper_tickets_stay_cheap(self):
        self.check(0, 2, day="Wednesday")
        self.check(500, 10, day="Wednesday")
        self.check(600, 65, day="Wednesday")

    def test_the_case_of_the_day_does_not_matter(self):
        self.check(650, 30, day="wednesday")
        self.check(650, 30, day="WEDNESDAY")


if __name__ == "__main__":
    unittest.main()
