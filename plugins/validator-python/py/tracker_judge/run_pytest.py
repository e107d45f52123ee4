"""Runs pytest with a plugin of its own for results."""
import os
import sys
import unittest
import warnings

import pytest
from _pytest.fixtures import FixtureLookupError
from _pytest.outcomes import Failed

from . import awaited, events

SKIPS = (pytest.skip.Exception, pytest.xfail.Exception, unittest.SkipTest)


ALWAYS = ["-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:warnings", "-s", "-q", "--tb=native", "-c", os.devnull, "-o", "addopts="]


def run(root, job, out):
    config = []
    for name in ("pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"):
        if os.path.exists(os.path.join(root, name)):  # the task's: a learner's is left out
            config = ["-c", os.path.join(root, name)]
            break
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    warnings.filterwarnings("ignore", category=pytest.PytestWarning)
    awaited.install(out)
    plain = sys.stdout
    sys.stdout = open(os.devnull, "w")  # pytest's own words
    pytest.main(
        [*ALWAYS, *config, "--rootdir=" + root, "--confcutdir=" + root, *job["tests"]],
        plugins=[Plugin(out, events.Output(out, job["output_limit"]), job["tests"])],
    )
    sys.stdout = plain


class Plugin:
    def __init__(self, out, output, tests):
        self.out, self.output, self.tests = out, output, tests
        self.values = None

    def pytest_configure(self, config):
        for name in ("asyncio", "anyio"):
            config.addinivalue_line("markers", f"{name}: a test that is a coroutine")

    def pytest_sessionstart(self, session):
        self.out.send("hello", versions={"pytest": pytest.__version__})
        self.output.install()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector):
        yielded = yield
        report = yielded.get_result()
        info = getattr(getattr(report, "call", None), "excinfo", None)
        if report.failed and info is not None:
            exc = info.value
            # pytest wraps what an import raised in a text of its own.
            while type(exc).__name__ == "CollectError" and exc.__cause__ is not None:
                exc = exc.__cause__
            self.out.send("broken_file", file=collector.nodeid, output=self.output.take(),
                          failure=events.failure(exc, exc.__traceback__, self.tests))
        elif report.skipped and info is not None and events.failure(info.value, info.tb, self.tests)["learner"]:
            self.out.send("broken_file", file=collector.nodeid, output=self.output.take(),
                          failure=events.failure(info.value, info.tb, self.tests))
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.out.send("skipped_file", file=collector.nodeid, reason=events.clip(reason))

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem):
        kwargs, info = pyfuncitem.funcargs, pyfuncitem._fixtureinfo
        awaited.call(pyfuncitem.obj, {n: kwargs[n] for n in info.argnames}, lambda name: getattr(info.name2fixturedefs.get(name, (None,))[-1], "func", None))
        return True

    def pytest_collection_finish(self, session):
        for item in session.items:
            if awaited.never_runs(getattr(item, "obj", None)):
                awaited.refuse(self.out, item.nodeid)
        self.out.send("collected", ids=[i.nodeid for i in session.items], output=self.output.take())

    def pytest_assertrepr_compare(self, config, op, left, right):
        if op == "==":
            self.values = (events.clip(events.safe(repr, left), 2000), events.clip(events.safe(repr, right), 2000))

    def pytest_runtest_logstart(self, nodeid, location):
        self.output.take()
        self.values, self.seconds, self.worst, self.text = None, 0.0, None, ""
        self.out.send("started", id=nodeid)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        yielded = yield
        report = yielded.get_result()
        self.seconds += call.duration
        failure, reason, status = None, "", "pass"
        if report.failed:
            status = "error"
            if call.excinfo is not None:
                exc = call.excinfo.value
                if type(exc) is FixtureLookupError and exc.argname:
                    self.out.send("task_error", reason=f"{item.nodeid} asks for the fixture {exc.argname}, which neither the tests nor an installed plugin have")
                if report.when == "call" and isinstance(exc, (AssertionError, Failed)):
                    status = "fail"
                failure = events.failure(exc, call.excinfo.tb, self.tests)
                if status == "fail" and self.values:
                    failure["actual"], failure["expected"] = self.values
            else:  # a strict xfail that passed
                status, failure = "fail", {"type": "UnexpectedSuccess", "message": "", "learner": None, "test": None}
        elif report.skipped:
            status = "skip"
            info = {"learner": None}
            if call.excinfo and isinstance(call.excinfo.value, SKIPS):
                info = events.failure(call.excinfo.value, call.excinfo.tb, self.tests)
            if info["learner"]:  # only the task may skip its tests
                status, failure = "error", info
            elif hasattr(report, "wasxfail"):
                reason = "expected failure"
            elif isinstance(report.longrepr, tuple):
                reason = events.clip(report.longrepr[2])
        if self.worst is None or self.worst[0] in ("pass",) and status != "pass":
            self.worst = (status, failure, reason)
        if report.when == "teardown":
            status, failure, reason = self.worst
            task = item.get_closest_marker("task")
            self.out.send("test", id=item.nodeid, status=status, failure=failure, reason=reason, output=self.output.take(),
                          seconds=self.seconds, task=str(task.kwargs.get("taskno", "")) if task else "")
