"""Does in advance what pytest does at the beginning of each session and what
does not depend on the task. Reaches into pytest's internals, so each part is
left out where they are not what this was written for (pytest 7.2 to 9)."""
import os
import shutil
import sys
import tempfile
import types

import pytest
from _pytest import config as pytest_config
from _pytest.config import argparsing
from _pytest.fixtures import FixtureManager

SAMPLE = """
import pytest

@pytest.fixture
def two():
    return 2

@pytest.mark.parametrize("n", [1, 2])
def test_pass(n, two):
    assert n <= two

def test_raises():
    with pytest.raises(ZeroDivisionError, match="zero"):
        1 / 0

class TestFail:
    def test_equal(self):
        assert [1, {"a": 2}] == [1, {"a": 3}]
"""


def prepare(arguments):
    """arguments are those of every session."""
    without_fixtures = set()
    rehearse(arguments, without_fixtures)
    for part in (lambda: keep_parser(), lambda: skip(without_fixtures), lambda: begin(arguments)):
        try:
            part()
        except (AttributeError, TypeError):
            pass


def rehearse(arguments, without_fixtures):
    """Runs a few tests, so that all is loaded that pytest loads late."""
    folder = tempfile.mkdtemp()
    modules, path, env, hooks = set(sys.modules), list(sys.path), dict(os.environ), list(sys.meta_path)
    here, stdout = os.getcwd(), sys.stdout
    try:
        with open(os.path.join(folder, "test_rehearsal.py"), "w") as f:
            f.write(SAMPLE)
        os.chdir(folder)
        with open(os.devnull, "w") as sys.stdout:
            pytest.main([*arguments, "--rootdir=" + folder, "test_rehearsal.py"], plugins=[Watch(without_fixtures)])
    finally:
        sys.stdout = stdout
        os.chdir(here)
        shutil.rmtree(folder, ignore_errors=True)
        sys.path[:], sys.meta_path[:] = path, hooks
        os.environ.clear()
        os.environ.update(env)
        for name in [n for n in sys.modules if n not in modules and n.startswith("test_rehearsal")]:
            del sys.modules[name]


class Watch:
    """Notes which of pytest's own plugins, modules and classes, define no fixture."""

    def __init__(self, without_fixtures):
        self.found = without_fixtures

    def pytest_collection_finish(self, session):
        definitions = getattr(getattr(session, "_fixturemanager", None), "_arg2fixturedefs", None)
        if definitions is None:
            return
        functions = [d.func for ds in definitions.values() for d in ds]
        have = {getattr(f, "__module__", None) for f in functions} | {type(getattr(f, "__self__", None)) for f in functions}
        for plugin in session.config.pluginmanager.get_plugins():
            if type(plugin) is types.ModuleType:
                if plugin.__name__.startswith("_pytest.") and plugin.__name__ not in have:
                    self.found.add(plugin)
            elif type(plugin).__module__.startswith("_pytest.") and type(plugin) not in have:
                self.found.add(type(plugin))


def keep_parser():
    """The parser of options is made six times in a session; once is enough."""
    plain, kept = argparsing.Parser._getparser, []

    def _getparser(self):
        count = self, sum(len(g.options) for g in [*self._groups, self._anonymous])
        if not kept or kept[0] != count:
            kept[:] = count, plain(self)
        return kept[1]

    argparsing.Parser._getparser = _getparser


def skip(without_fixtures):
    plain = FixtureManager.parsefactories

    def parsefactories(self, node_or_obj, *args, **kwargs):
        kind = type(node_or_obj)
        if (node_or_obj if kind is types.ModuleType else kind) not in without_fixtures:
            plain(self, node_or_obj, *args, **kwargs)

    FixtureManager.parsefactories = parsefactories


def begin(arguments):
    """The first session finds its plugins registered."""
    plain, ready = pytest_config.get_config, []
    ready.append(plain(arguments, None))

    def get_config(args=None, plugins=None):
        if not ready:
            return plain(args, plugins)
        config = ready.pop()
        config.invocation_params = pytest_config.Config.InvocationParams(args=args or (), plugins=plugins, dir=pytest_config.Path.cwd())
        return config

    pytest_config.get_config = get_config
