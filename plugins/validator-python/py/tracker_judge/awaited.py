"""Tests that are coroutines: neither framework runs them without a plugin or a
class of its own, and a test that did not run must not look like one that passed."""
import types
import unittest

NEVER_RUNS = 0x20 | 0x200  # the code of a generator, or of an asynchronous one

LATE = {types.CoroutineType: "cr_code", types.AsyncGeneratorType: "ag_code"}


def never_runs(test):
    """Whether the body of a test function is not reached when it is called."""
    return bool(getattr(getattr(test, "__code__", None), "co_flags", 0) & NEVER_RUNS)


def refuse(out, name):
    out.send("task_error", reason=f"{name} holds a yield, so calling it runs nothing of it: no framework runs such tests")


def call(test, kwargs, made_by=lambda name: None):
    """Calls a test and sees it to its end, along with what its fixtures left to
    be awaited; made_by gives a fixture's function."""
    late = {n: v for n, v in kwargs.items() if type(v) in LATE and getattr(v, LATE[type(v)]) is getattr(made_by(n), "__code__", None)}
    if late:
        return run(_with(test, kwargs, late))
    result = test(**kwargs)
    if type(result) is types.CoroutineType:
        run(result)


def run(coroutine):
    import asyncio

    asyncio.run(coroutine)


async def _with(test, kwargs, late):
    made, open_ = {}, []
    try:
        for name, value in late.items():
            if type(value) is types.CoroutineType:
                made[name] = await value
            else:
                made[name] = await value.__anext__()
                open_.append(value)
        result = test(**{**kwargs, **made})
        if type(result) is types.CoroutineType:
            await result
    finally:
        for value in reversed(open_):
            async for _ in value:
                pass


def install(out):
    """Has TestCase, too, run tests that are coroutines."""
    def _callTestMethod(self, method):
        if never_runs(method):
            refuse(out, f"{type(self).__qualname__}.{self._testMethodName}")
        call(method, {})

    unittest.TestCase._callTestMethod = _callTestMethod
