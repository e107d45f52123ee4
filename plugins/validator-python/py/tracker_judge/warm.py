"""Loads what most runs need before there is a run, and then does what entry
does in a process of its own.

After load() there is no thread and no open file, so that it can be forked. What
a run would not find loaded in a process of its own is taken away from it: see
_unload.
"""
import json
import os
import sys

# What exercises import; it is there at once where a submission does.
LIBRARY = (
    "abc", "bisect", "calendar", "collections.abc", "copy", "csv", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "heapq",
    "itertools", "json", "math", "operator", "random", "re", "statistics", "string", "textwrap", "time", "typing",
)
_may_stay = {}  # by what a process does, the modules that it may find loaded
_library = set()  # those that only LIBRARY asked for
_library_names = set()
_all = {}  # keeps what is taken away from being torn down


def load():
    """Imports everything."""
    from . import entry, split_submission  # noqa: F401

    own = set(sys.modules)
    for name in LIBRARY:
        __import__(name)
    _library.update(set(sys.modules) - own)
    _library_names.update(n.split(".")[0] for n in _library)
    _may_stay["submission"] = set(sys.modules)
    from . import analysis, check, events, hidden, rules, run_script, run_unittest, split_tests, split_world  # noqa: F401

    _may_stay["unittest"] = _may_stay["script"] = _may_stay["check"] = set(sys.modules)
    try:
        from . import ready_pytest, run_pytest

        ready_pytest.prepare(run_pytest.ALWAYS)
    except ImportError:
        pass
    _may_stay["pytest"] = set(sys.modules)
    from . import forkserver, rehearsal  # noqa: F401

    _all.update(sys.modules)


def run(process):
    """Does what process, as the host hands it over, is to do; never returns."""
    from . import entry

    os.environ.clear()
    os.environ.update(process["env"])
    os.chdir(process["dir"])
    sys.orig_argv[:] = process["argv"]
    sys.modules["random"].seed()
    entry.main(process["argv"][-1], _unload)


def _unload(what, job):
    """Takes away what would not be loaded if this had begun now: modules of
    other kinds of runs, and those whose names are the exercise's."""
    modules, stay = sys.modules, _may_stay[what]
    for name in modules.keys() - stay:
        del modules[name]
        package, _, last = name.rpartition(".")
        if package in stay:
            vars(modules[package]).pop(last, None)
    for name in _library_names.intersection(job.get("tops", ())):
        for n in [n for n in modules if n in _library and (n == name or n.startswith(name + "."))]:
            del modules[n]


def main():
    """Serves one process, or one after the other in a fork for each."""
    import gc

    load()
    gc.collect()
    gc.freeze()  # what is loaded stays, so nobody need look at it again
    line = _all["tracker_judge.forkserver"].ready(_all["tracker_judge.rehearsal"].scenes)
    if not line:
        os._exit(0)
    run(json.loads(line))
