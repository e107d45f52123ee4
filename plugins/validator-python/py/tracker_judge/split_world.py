"""Sets up the process of the tests: which imports lead to the submission, and
which functions of the standard library must work there and not here."""
import ast
import importlib
import importlib.machinery
import os
import sys
import types

from . import analysis, carry, files, peer, reading, split_tests, standin
from .places import ROOT

KEPT = {("sys", n) for n in ("stdin", "stdout", "stderr", "argv", "modules", "path")} | {("os", "environ"), ("builtins", "print"), ("builtins", "open"), ("builtins", "input")}

def start(job, out):
    carrier = split_tests.Tests(peer.own_descriptor(), out, job)
    names = reading.dotted(job["files"])
    trees, carrier.texts = [], []
    for name in job["task_files"]:
        if name.endswith(".py"):
            with open(name, encoding="utf-8", errors="replace") as f:
                carrier.texts.append(f.read())
            try:
                trees.append(analysis.parse(name))
            except (SyntaxError, ValueError, RecursionError):
                pass
    wanted = set()
    for tree in trees:
        wanted |= analysis.imports(tree)
    # Code that is named in a text: mock.patch("calc.helper"), import_module("calc").
    for tree in trees:
        for n in analysis.nodes(tree):
            if isinstance(n, ast.Constant) and type(n.value) is str and n.value.split(".")[0] in names and len(n.value) < 200:
                wanted.add(n.value.split(".")[0])
    for name in sorted(wanted & reading.TOGETHER.keys()):
        carrier.cannot(reading.TOGETHER[name])
    for text in carrier.texts:
        found = reading.WRITTEN.search(text)
        if found:
            carrier.cannot(reading.REASONS[found.lastgroup])
    folders = []
    for name in job["tests"]:
        here = os.path.dirname(os.path.join(ROOT, name))
        while os.path.exists(os.path.join(here, "__init__.py")) and here != ROOT:
            here = os.path.dirname(here)
        if here not in folders:
            folders.append(here)
    first = [ROOT] + [f for f in folders if f != ROOT]
    if os.path.isdir(os.path.join(ROOT, "src")):
        first.append(os.path.join(ROOT, "src"))
    carrier.first, carrier.own_modules = first, reading.dotted(job["task_files"])
    learners = [n for n in wanted if n in names and n not in reading.LIBRARIES]
    for tree in trees:
        for name in sorted(reading.unconditional(tree) & reading.LIBRARIES):
            # A learner's file of that name is no library, where there are others to judge.
            if (name not in names or learners) and importlib.machinery.PathFinder.find_spec(name, first + sys.path) is None:
                carrier.needs(f"they import {name}, which is not installed on this server")
    tops = {n for n in wanted if n in names and not here_too(n, first, trees)}
    sys.path[:0] = first
    for n in tops & set(sys.modules):
        del sys.modules[n]
    carrier.finder = split_tests.Finder(carrier, names, tops)
    sys.meta_path.insert(0, carrier.finder)
    reach(carrier, job, wanted)
    carrier.asked = reading.asked_of(trees)
    carrier.starred = reading.starred(trees, job.get("starter", ())) if any("import *" in t for t in carrier.texts) else None
    carrier.setup = [os.path.relpath(f, ROOT) for f in folders], sorted(tops), job["files"]
    carrier.files.start()
    sys.addaudithook(lambda event, args: opened(carrier, job, args[0]) if event == "open" else None)
    return carrier


def here_too(name, first, trees):
    """Whether the tests mean a module of their own, the standard library's or
    one that is installed."""
    found = importlib.machinery.PathFinder.find_spec(name, first)
    if found is not None and found.origin:
        return True
    if name not in sys.stdlib_module_names and importlib.machinery.PathFinder.find_spec(name) is None:
        return False
    try:
        real = importlib.import_module(name)
    except Exception:
        return False
    return all(hasattr(real, a) for a in reading.taken_of(name, trees))


def opened(carrier, job, path):
    if not isinstance(path, str) or not path.endswith(".py"):
        return
    rel = os.path.relpath(os.path.abspath(path), ROOT)
    # Only tests that know of the file: the submission may not ask for one process
    # by telling its tests a name.
    if rel in carrier.sources and any(os.path.basename(rel) in t or ".__file__" in t for t in carrier.texts):
        carrier.cannot(f"the tests read the file {rel}")


def is_standin(x):
    return isinstance(x, split_tests.StandInModule) or isinstance(x, standin.Method) or carry.own_ref(x, type(x), standin.peer) is not None


def reach(carrier, job, asked):
    """Makes the standard library ask the submission where the tests use it on
    things of the submission's."""
    carrier.sources = {f for f in job["files"] if f.endswith(".py")}

    def forward(module, name):
        real = getattr(module, name)

        def f(obj, *args, **kwargs):
            if is_standin(obj):
                return carrier.request("std", module.__name__, name, (obj, *args), kwargs)
            return real(obj, *args, **kwargs)

        f.__name__, f.__doc__ = name, real.__doc__
        setattr(module, name, f)

    import inspect

    for name in ("asdict", "astuple", "replace", "fields") if "dataclasses" in sys.modules or "dataclasses" in asked else ():
        forward(importlib.import_module("dataclasses"), name)
    if "typing" in asked:
        forward(importlib.import_module("typing"), "get_type_hints")
    for name in ("isabstract", "isgeneratorfunction", "isasyncgenfunction"):
        forward(inspect, name)
    forward(inspect, "signature")

    def sourceless(name):
        real = getattr(inspect, name)

        def f(obj, *args, **kwargs):
            if is_standin(obj):
                carrier.cannot("the tests read the source of the code")
            return real(obj, *args, **kwargs)

        setattr(inspect, name, f)

    for name in ("getsource", "getsourcelines", "findsource"):
        sourceless(name)
    for name in ("stack", "getouterframes"):
        setattr(inspect, name, lambda *args, **kwargs: carrier.cannot("the tests look at who called them"))

    if "doctest" in asked:
        finder = importlib.import_module("doctest").DocTestFinder
        plain_find = finder.find

        def find(self, obj, *args, **kwargs):
            if is_standin(obj):
                carrier.cannot("the tests run the examples in the code's own texts")
            return plain_find(self, obj, *args, **kwargs)

        finder.find = find

    if "enum" in asked:
        kinships(importlib.import_module("enum").EnumMeta)
    if asked & {"abc", "collections"}:
        kinships(importlib.import_module("abc").ABCMeta)

    def there(real):
        def f(path, *args, **kwargs):
            try:
                if os.path.relpath(os.path.abspath(path), ROOT) in carrier.sources:
                    return True
            except (TypeError, ValueError):
                pass
            return real(path, *args, **kwargs)

        return f

    os.path.exists, os.path.isfile = there(os.path.exists), there(os.path.isfile)
    if asked & {"pathlib", "pytest"}:
        path = importlib.import_module("pathlib").Path
        path.exists, path.is_file = there(path.exists), there(path.is_file)
    plain_reload = importlib.reload

    def reload(module):
        if isinstance(module, split_tests.StandInModule):
            carrier.request("reload", module._tracker_name)
            return module
        return plain_reload(module)

    importlib.reload = reload
    if "random" in asked:
        random = importlib.import_module("random")
        plain_seed = random.seed

        def seed(*args, **kwargs):
            carrier.request("std", "random", "seed", args, kwargs)
            return plain_seed(*args, **kwargs)

        random.seed = seed
    if asked & {"subprocess", "runpy", "os"} or "subprocess" in sys.modules:
        programs(carrier)
    if "pytest" in asked:
        approximations()
    if any("mock" in t or "monkeypatch" in t for t in carrier.texts):
        patches(carrier)


def kinships(meta):
    """Lets issubclass and isinstance know stand-ins for what derives, over there,
    from the standard library's class of that name."""
    plain_sub, plain_inst = meta.__subclasscheck__, meta.__instancecheck__

    def related(cls, sub):
        return isinstance(sub, standin.Meta) and cls.__module__ != "numbers" and any(b.__module__ == cls.__module__ and b.__qualname__ == cls.__qualname__ for b in sub.__mro__)

    meta.__subclasscheck__ = lambda cls, sub: plain_sub(cls, sub) or related(cls, sub)
    meta.__instancecheck__ = lambda cls, x: plain_inst(cls, x) or related(cls, type(x))


def approximations():
    """approx asks a sequence for its length and for its items: of the
    submission's, the items say how many they are."""
    import _pytest.python_api as api

    sequence = getattr(api, "ApproxSequenceLike", None) or getattr(api, "ApproxSequencelike", None)
    if sequence is None:
        return
    plain = sequence.__eq__

    def __eq__(self, actual):
        if standin.is_remote(actual):
            actual = list(actual)
        return plain(self, actual)

    sequence.__eq__ = __eq__


def programs(carrier):
    """Programs of the learner's run in the learner's process."""
    import runpy
    import subprocess

    names = {os.path.basename(f) for f in carrier.sources} | {f[:-3].replace("/", ".") for f in carrier.sources}

    scripts = {os.path.basename(f) for f in carrier.job["files"]}
    own = {os.path.basename(f) for f in carrier.job["task_files"]}

    def learners(argv):
        argv = [argv] if isinstance(argv, (str, bytes, os.PathLike)) else argv
        words = {os.path.basename(w) for a in argv for w in os.fsdecode(a).replace(";", " ").replace("&", " ").replace("'", " ").replace('"', " ").split()}
        return bool(words & names or words & scripts and not words & own)

    def forward(name):
        real = getattr(subprocess, name)

        def f(*args, **kwargs):
            argv = args[0] if args else kwargs.get("args", ())
            if not learners(argv):
                return real(*args, **kwargs)
            check = kwargs.pop("check", False)
            if "cwd" in kwargs and kwargs["cwd"] is not None:
                kwargs["cwd"] = os.path.abspath(kwargs["cwd"])
            done = carrier.request("run", "subprocess." + name, args, kwargs)
            if type(done) is list and done[0] == "CompletedProcess":
                done = subprocess.CompletedProcess(*done[1:])
                if check:
                    done.check_returncode()
            return done

        setattr(subprocess, name, f)

    for name in ("run", "check_output", "call", "check_call"):
        forward(name)
    popen = subprocess.Popen.__init__

    def init(self, args, *rest, **kwargs):
        if learners(args):
            carrier.cannot("the tests talk to a running program")
        return popen(self, args, *rest, **kwargs)

    subprocess.Popen.__init__ = init
    system = os.system

    def run_by_shell(command):
        if learners(command):
            carrier.cannot("the tests run a program by os.system")
        return system(command)

    os.system = run_by_shell
    for name in ("run_path", "run_module"):
        def run(what, *args, _real=getattr(runpy, name), _name=name, **kwargs):
            if os.path.basename(os.fspath(what)) in names or what in carrier.finder.names:
                return carrier.request("run", _name, (os.fspath(what), *args), kwargs)
            return _real(what, *args, **kwargs)

        setattr(runpy, name, run)


def patches(carrier):
    """Patches of the standard library's modules hold on both sides."""
    def note(target, name, patched):
        if type(target) is types.ModuleType and target.__name__.split(".")[0] in sys.stdlib_module_names and (target.__name__, name) not in KEPT:
            carrier.patches.append((target.__name__, name, (getattr(target, name, None),) if patched else None))

    from unittest import mock

    enter, leave = mock._patch.__enter__, mock._patch.__exit__

    def __enter__(self):
        out = enter(self)
        note(self.target, self.attribute, True)
        return out

    def __exit__(self, *exc):
        target, name = getattr(self, "target", None), self.attribute
        out = leave(self, *exc)
        note(target, name, False)
        return out

    mock._patch.__enter__, mock._patch.__exit__ = __enter__, __exit__
    pytest = sys.modules.get("_pytest.monkeypatch")
    if pytest is None:
        return
    plain_set, plain_undo = pytest.MonkeyPatch.setattr, pytest.MonkeyPatch.undo

    def setattr_(self, *args, **kwargs):
        before = len(self._setattr)
        plain_set(self, *args, **kwargs)
        for target, name, _ in self._setattr[before:]:
            note(target, name, True)

    def undo(self):
        entries = list(self._setattr)
        plain_undo(self)
        for target, name, _ in entries:
            note(target, name, False)

    pytest.MonkeyPatch.setattr, pytest.MonkeyPatch.undo = setattr_, undo
