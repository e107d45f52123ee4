import unittest

from stack import Stack, add, mean, words


class StackTest(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(1, 2), 3)

    def test_add_negative(self):
        self.assertEqual(add(-1, 2), 1)

    def test_mean(self):
        self.assertEqual(mean([1, 2, 3]), 2)
        self.assertEqual(mean([4]), 4)

    def test_words(self):
        self.assertEqual(words("A rose is a rose"), {"a": 2, "rose": 2, "is": 1})

    def test_push_and_pop(self):
        stack = Stack()
        stack.push(1)
        stack.push(2)
        self.assertEqual(stack.pop(), 2)
        self.assertEqual(len(stack), 1)

    def test_pop_of_nothing(self):
        with self.assertRaises(IndexError):
            Stack().pop()
