import unittest

from gradebook import average, averages, best_student


class TestAverage(unittest.TestCase):
    def test_of_several_marks(self):
        self.assertEqual(average([8, 10, 9]), 9)

    def test_may_have_decimals(self):
        self.assertEqual(average([7, 8]), 7.5)

    def test_of_no_marks_is_none(self):
        self.assertIsNone(average([]))


class TestAverages(unittest.TestCase):
    def test_every_student_with_marks_has_an_average(self):
        self.assertEqual(averages({"Ida": [8, 10], "Bo": [7]}), {"Ida": 9, "Bo": 7})

    def test_students_without_marks_are_left_out(self):
        self.assertEqual(averages({"Ida": [8], "Cy": []}), {"Ida": 8})

    def test_a_zero_is_a_mark_too(self):
        self.assertEqual(averages({"Dan": [0]}), {"Dan": 0})

    def test_an_empty_book_has_no_averages(self):
        self.assertEqual(averages({}), {})

    def test_the_book_does_not_change(self):
        book = {"Ida": [8, 10], "Cy": []}
        self.assertEqual(averages(book), {"Ida": 9})
        self.assertEqual(book, {"Ida": [8, 10], "Cy": []})


class TestBestStudent(unittest.TestCase):
    def test_has_the_highest_average(self):
        self.assertEqual(best_student({"Bo": [7, 7], "Ida": [6, 10], "Cy": [5]}), "Ida")

    def test_many_marks_are_not_better_than_good_ones(self):
        self.assertEqual(best_student({"Bo": [5, 5, 5, 5], "Ida": [9]}), "Ida")

    def test_a_tie_goes_to_the_first_in_the_alphabet(self):
        self.assertEqual(best_student({"Zoe": [9], "Abe": [9], "Max": [9]}), "Abe")

    def test_may_have_an_average_of_zero(self):
        self.assertEqual(best_student({"Cy": [], "Dan": [0]}), "Dan")

    def test_nobody_is_best_without_marks(self):
        self.assertIsNone(best_student({"Cy": []}))
        self.assertIsNone(best_student({}))


if __name__ == "__main__":
    unittest.main()
