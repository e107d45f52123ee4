import unittest

from streak import longest_streak


class TestLongestStreak(unittest.TestCase):
    def test_an_empty_diary_has_no_streak(self):
        self.assertEqual(longest_streak(""), 0)

    def test_days_without_practice_are_no_streak(self):
        self.assertEqual(longest_streak("....."), 0)

    def test_one_day_is_a_streak_of_one(self):
        self.assertEqual(longest_streak("..x.."), 1)

    def test_a_streak_in_the_middle_counts(self):
        self.assertEqual(longest_streak(".xxx.x"), 3)

    def test_a_streak_at_the_beginning_counts(self):
        self.assertEqual(longest_streak("xxxx.xx"), 4)

    def test_a_streak_on_the_last_days_counts(self):
        self.assertEqual(longest_streak("x.xx.xxxxx"), 5)

    def test_days_that_are_not_in_a_row_do_not_add_up(self):
        self.assertEqual(longest_streak("x.x.x.x"), 1)

    def test_practising_every_day_counts_every_day(self):
        self.assertEqual(longest_streak("x" * 365), 365)


if __name__ == "__main__":
    unittest.main()
