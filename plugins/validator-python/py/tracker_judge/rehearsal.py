"""What runs do, done with an exercise of our own before there is any other, so
that forkserver learns which memory they write to."""
import base64
import io
import json
import os
import shutil
import socket
import sys

from . import places, warm

SUBMISSION = """
class Shelf:
    def __init__(self):
        self.items = {}

    def put(self, name, count=1):
        self.items[name] = self.items.get(name, 0) + count
        return self

    def take(self, name):
        if name not in self.items:
            raise KeyError(f"there is no {name}")
        return self.items.pop(name)

    def __len__(self):
        return len(self.items)


def total(numbers):
    return sum(numbers)


def words(text):
    return sorted(text.lower().split())
"""
UNITTEST = """
import unittest

from shelf import Shelf, total, words


class ShelfTest(unittest.TestCase):
    def test_total(self):
        self.assertEqual(total([1, 2, 3]), 6)

    def test_words(self):
        self.assertEqual(words("A rose is a rose"), ["a", "a", "is", "rose", "rose"])

    def test_put(self):
        shelf = Shelf()
        shelf.put("cup").put("pot", 2)
        self.assertEqual(len(shelf), 2)
        self.assertEqual(shelf.take("pot"), 2)

    def test_take_nothing(self):
        with self.assertRaises(KeyError):
            Shelf().take("cup")

    def test_that_fails(self):
        self.assertEqual(total([1.5, 2]), 4)
"""
PYTEST = """
import pytest

from shelf import Shelf, total, words


@pytest.mark.parametrize("numbers, want", [([1, 2, 3], 6), ([], 0)])
def test_total(numbers, want):
    assert total(numbers) == want


def test_words():
    assert words("A rose is a rose") == ["a", "a", "is", "rose", "rose"]


def test_put():
    shelf = Shelf()
    shelf.put("cup").put("pot", 2)
    assert len(shelf) == 2
    assert shelf.take("pot") == 2


def test_take_nothing():
    with pytest.raises(KeyError):
        Shelf().take("cup")


def test_that_fails():
    assert total([1.5, 2]) == 4
"""


def scenes():
    """Each is two functions, for a process each."""
    for framework, test in ("unittest", UNITTEST), ("pytest", PYTEST):
        if "tracker_judge.run_" + framework in sys.modules:
            yield from _scene(test)


def _scene(test):
    # Apart from the tests, as they look into their own folder.
    name, folder = "apart/shelf.py", os.path.join(places.ROOT, "apart")
    os.makedirs(places.JUDGE)
    os.makedirs(folder)
    for path, text in (name, SUBMISSION), ("test_shelf.py", test):
        with open(os.path.join(places.ROOT, path), "w") as f:
            f.write(text)
    tops = ["apart", "shelf"]
    job = {"files": [name], "tests": ["test_shelf.py"], "tops": tops, "conftest": False, "framework": "auto", "entry": "",
           "output_limit": 1 << 20, "task_files": ["test_shelf.py"], "trust_equality": False,
           "sources": [base64.b64encode(SUBMISSION.encode()).decode()]}
    here, there = socket.socketpair()
    with here, there:
        yield _process("tests", b"key\n", job, here), _process("submission", b"", {"tops": tops}, there)
    shutil.rmtree(folder)
    shutil.rmtree(places.JUDGE)
    os.remove(os.path.join(places.ROOT, "test_shelf.py"))


def _process(mode, before, job, channel):
    def act():
        leave = os._exit

        def end(code):
            channel.shutdown(socket.SHUT_RDWR)  # others hold it, too
            leave(code)

        os._exit = end
        os.dup2(channel.fileno(), 3)
        sys.stdin = io.TextIOWrapper(io.BytesIO(before + json.dumps(job).encode() + b"\n"))
        warm.run({"argv": [mode], "env": dict(os.environ), "dir": places.ROOT})

    return act
