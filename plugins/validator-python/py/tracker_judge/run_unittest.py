"""Runs unittest's test cases, each subtest a test of its own."""
import importlib.util
import os
import sys
import unittest

from . import awaited, events


def run(root, job, out):
    output = events.Output(out, job["output_limit"])
    output.install()
    out.send("hello", versions={"unittest": "%d.%d.%d" % sys.version_info[:3]})
    _remember_values()
    awaited.install(out)
    suites, collected = [], []
    for name in job["tests"]:
        try:
            module = _load(root, name)
            suite = unittest.defaultTestLoader.loadTestsFromModule(module)
        except unittest.SkipTest as e:
            info = events.failure(e, e.__traceback__, job["tests"])
            if info["learner"]:
                out.send("broken_file", file=name, failure=info, output=output.take())
                continue
            out.send("skipped_file", file=name, reason=events.clip(str(e)))
            continue
        except BaseException as e:  # noqa: B036
            out.send("broken_file", file=name, failure=events.failure(e, e.__traceback__, job["tests"]), output=output.take())
            continue
        for test in _flat(suite):
            test._judged_file = name
            collected.append(_id(test))
        suites.append(suite)
    out.send("collected", ids=collected, output=output.take())
    result = Result(out, output, job["tests"])
    unittest.TestSuite(suites).run(result)


def _load(root, name):
    path = os.path.join(root, name)
    parts = name[:-3].split("/")
    package = 0  # how many parts belong to the package
    for i in range(len(parts) - 1, 0, -1):
        if not os.path.exists(os.path.join(root, *parts[:i], "__init__.py")):
            break
        package += 1
    full = ".".join(parts[len(parts) - 1 - package:])
    if package:
        __import__(full.rpartition(".")[0])
    spec = importlib.util.spec_from_file_location(full, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    spec.loader.exec_module(module)
    return module


def _flat(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from _flat(t)
        else:
            yield t


def _id(test):
    return f"{getattr(test, '_judged_file', '?')}::{type(test).__qualname__}::{getattr(test, '_testMethodName', str(test))}"


def _task(test):
    """The part of the exercise that @pytest.mark.task names."""
    for mark in getattr(getattr(test, getattr(test, "_testMethodName", ""), None), "pytestmark", []):
        if mark.name == "task":
            return str(mark.kwargs.get("taskno", ""))
    return ""


def _remember_values():
    """Keeps what assertEqual compared for the learner to see."""
    plain = unittest.TestCase.assertEqual

    def assertEqual(self, first, second, msg=None):
        try:
            plain(self, first, second, msg)
        except self.failureException as e:
            try:
                e._judged = (events.clip(events.safe(repr, first), 2000), events.clip(events.safe(repr, second), 2000))
            except Exception:
                pass
            raise

    unittest.TestCase.assertEqual = assertEqual


class Result(unittest.TestResult):
    def __init__(self, out, output, tests):
        super().__init__()
        self.out, self.output, self.tests = out, output, tests

    def startTest(self, test):
        super().startTest(test)
        self.sub, self.said = 0, False
        self.output.take()
        self.out.send("started", id=_id(test))
        self.began = events.now()

    def say(self, test, status, failure=None, reason="", name=""):
        self.said = self.said or not name
        self.out.send("test", id=_id(test) + name, status=status, failure=failure, reason=reason,
                      output=self.output.take(), seconds=events.now() - getattr(self, "began", events.now()), task=_task(test))
        self.began = events.now()

    def addSuccess(self, test):
        if not self.sub:
            self.say(test, "pass")

    def addFailure(self, test, err):
        self.say(test, "fail", events.failure(err[1], err[2], self.tests))

    def addError(self, test, err):
        if not isinstance(test, unittest.TestCase):  # setUpClass, setUpModule
            self.out.send("group_error", name=str(test), failure=events.failure(err[1], err[2], self.tests), output=self.output.take())
            return
        self.say(test, "error", events.failure(err[1], err[2], self.tests))

    def addSkip(self, test, reason):
        if not isinstance(test, unittest.TestCase):
            self.out.send("group_skip", name=str(test), reason=events.clip(str(reason)))
            return
        exc = sys.exc_info()
        info = events.failure(exc[1], exc[2], self.tests) if exc[1] is not None else {"learner": None}
        if info["learner"]:  # only the task may skip its tests
            self.say(test, "error", info)
        else:
            self.say(test, "skip", reason=events.clip(str(reason)))

    def addExpectedFailure(self, test, err):
        self.say(test, "skip", reason="expected failure")

    def addUnexpectedSuccess(self, test):
        self.say(test, "fail", {"type": "UnexpectedSuccess", "message": "the test was expected to fail", "learner": None, "test": None})

    def addSubTest(self, test, subtest, err):
        self.sub += 1
        name = events.clip(events.safe(subtest._subDescription), 200)
        name = "[" + (name[1:-1] if name.startswith("(") else name) + "]"
        if err is None:
            self.say(test, "pass", name=name)
        else:
            status = "fail" if issubclass(err[0], test.failureException) else "error"
            self.say(test, status, events.failure(err[1], err[2], self.tests), name=name)
