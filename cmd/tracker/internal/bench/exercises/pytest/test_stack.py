import pytest

from stack import Stack, add, mean, words


def test_add():
    assert add(1, 2) == 3


def test_add_negative():
    assert add(-1, 2) == 1


@pytest.mark.parametrize("numbers, want", [([1, 2, 3], 2), ([4], 4), ([2, 4], 3)])
def test_mean(numbers, want):
    assert mean(numbers) == want


def test_words():
    assert words("A rose is a rose") == {"a": 2, "rose": 2, "is": 1}


def test_push_and_pop():
    stack = Stack()
    stack.push(1)
    stack.push(2)
    assert stack.pop() == 2
    assert len(stack) == 1


def test_pop_of_nothing():
    with pytest.raises(IndexError, match="empty"):
        Stack().pop()
