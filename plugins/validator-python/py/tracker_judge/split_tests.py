"""The process of the tests: what it lets the submission do, and what it tells
it about the world that the tests have made."""
import builtins
import importlib
import os
import sys
import types
import unittest

from . import carry, events, files, peer, standin
from .places import ROOT

# Objects that lead from something harmless to the tests' own names.
CLOSED = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType,
          types.FrameType, types.CodeType, types.TracebackType, types.ModuleType, unittest.TestCase)
CLOSED_MODULES = ("_pytest", "pytest", "pluggy", "unittest.case", "unittest.suite", "unittest.result", "unittest.runner", "tracker_judge", "functools", "inspect", "gc", "sys")
MOCK = {"called", "call_count", "call_args", "call_args_list", "method_calls", "mock_calls", "return_value", "side_effect", "reset_mock", "configure_mock", "attach_mock", "mock_add_spec"}
QUIET = (int, float, bool, type(None), types.FunctionType, standin.Meta)
NAMES = {"__name__", "__qualname__", "__doc__", "__module__"}
UNGUESSED = ("/tmp/pytest-of-", "/tmp/tmp")
SUFFIXES = (".py", ".pyc", ".pyo", ".so", ".pth", ".ini", ".cfg", ".toml", ".pyi")


class Tests(peer.Peer):
    strict = True

    def __init__(self, fd, out, job):
        super().__init__(fd, 1)
        self.out, self.job = out, job
        self.trusts_equality = job.get("trust_equality", False)
        self.task_files = {os.path.join(ROOT, f) for f in job["task_files"]}
        self.plain = {n: getattr(builtins, n) for n in ("print", "open")}
        self.said = {"cwd": ROOT, "argv": None, "env": None, "raw": None, "builtins": {}}
        self.patches, self.sent_files = [], {}
        # Files that the tests wrote, those of them that the code can't know of, and
        # those that they told it of.
        self.written, self.held, self.told = set(), set(), set()
        self.setup, self.asked, self.early, self.starred = None, {}, (0, None, {}), None
        self.files = files.Watcher(ROOT)

    # When the two can't be kept apart.

    def cannot(self, reason):
        self.out.send("cannot_carry", reason=reason)
        os._exit(0)

    def needs(self, reason):
        """Ends a run that the task's author must mend."""
        self.out.send("task_error", reason=reason)
        os._exit(0)

    def lost(self):
        output = events.Output.installed
        self.out.send("ended", output=output.take() if output else "")
        os._exit(0)

    # What the submission may ask.

    def own(self, obj):
        if id(obj) not in self.export_ids and not standin.is_remote(obj):
            raise AttributeError("that belongs to the tests")
        return obj

    def readable(self, obj, name):
        self.own(obj)
        t = type(obj)
        if type(name) is not str or name.startswith("_") and name not in NAMES and name not in standin.FORWARD:
            raise AttributeError(f"{name!r} belongs to the tests")
        if name in NAMES:
            return
        module = (obj if isinstance(obj, type) else t).__module__ or ""
        if isinstance(obj, CLOSED) or isinstance(module, str) and module.startswith(CLOSED_MODULES):
            raise AttributeError(f"{t.__name__!r} object has no attribute {name!r}")
        if is_mock(obj) and (name in MOCK or name.startswith("assert")):
            raise AttributeError(f"{name!r} belongs to the tests")

    def handle(self, op, args):
        if op == "input":
            return builtins.input(*args)
        if op == "stdin":
            if args[0] not in ("read", "readline"):
                raise AttributeError(args[0])
            return getattr(sys.stdin, args[0])(args[1])
        if op == "call":
            if isinstance(args[0], unittest.TestCase):
                raise TypeError("a test can't be called")
            return self.own(args[0])(*args[1], **args[2])
        if op == "callattr":
            self.readable(args[0], args[1])
            return getattr(args[0], args[1])(*args[3], **args[4])
        if op == "getattr":
            self.readable(*args)
            return getattr(*args)
        if op == "setattr":
            self.readable(args[0], args[1])
            if args[1] in ("row_factory", "text_factory") and type(args[0]).__module__ == "sqlite3":
                self.cannot("the tests hand over a connection whose rows the code makes")
            if isinstance(args[0], type) or args[1].startswith("_"):
                raise AttributeError(f"{args[1]!r} belongs to the tests")
            return setattr(*args)
        if op == "op":
            obj, name, rest = args
            if name not in standin.FORWARD and name not in ("__eq__", "__hash__"):
                raise AttributeError(name)
            self.own(obj)
            if isinstance(obj, type):
                return iter(obj) if name == "__iter__" else getattr(type(obj), name)(obj, *rest)
            return getattr(type(obj), name)(obj, *rest)
        if op == "localattr":
            cls, name, values, kwargs = args
            if not isinstance(cls, standin.Meta):
                raise AttributeError(name)
            found = type.__getattribute__(cls, "__dict__")[name]
            if isinstance(found, (staticmethod, classmethod)):
                found = found.__func__
            elif isinstance(found, property):
                found = found.fget
            return found(*values, **kwargs)
        if op == "dir":
            return [n for n in dir(self.own(args[0])) if not n.startswith("_")]
        if op == "isinstance":
            return isinstance(self.own(args[0]), self.own(args[1]))
        if op == "plain":
            return None
        if op == "await":
            self.cannot("the tests and the code share an event loop")
        if op == "threads":
            self.cannot("the code calls what the tests handed it from a thread")
        if op == "describe":
            return self.describe(self.exports[args[0]][0])
        if op == "subscript":
            return self.own(args[0])[args[1]]
        if op == "generator":
            gen = self.exports[args[0]][0]
            if type(gen) is not types.GeneratorType:
                raise TypeError("not a generator")
            try:
                return False, gen.send(args[2]) if args[1] == "send" else next(gen)
            except StopIteration as e:
                return True, e.value
        raise AttributeError(op)

    def describes(self, name):
        return not name.startswith("_") or name in standin.FORWARD or name in ("__eq__", "__hash__")

    def module(self, name):
        if type(name) is not str:
            raise carry.Broken("a module without a name")
        found = sys.modules.get(name)
        if type(found) is types.ModuleType and name.split(".")[0] in sys.stdlib_module_names and name.split(".")[0] not in carry.NEVER:
            return found
        if found is None and self.finder.find_spec(name) is not None:
            found = importlib.import_module(name)
        return found if isinstance(found, StandInModule) else types.ModuleType("module")

    def encode(self, x):
        if isinstance(x, StandInModule):
            return ["mod", x._tracker_name]
        return super().encode(x)

    # What the submission must know.

    def state(self, values):
        out, said = {}, self.said
        cwd = os.getcwd()
        if self.setup:
            out["setup"], self.setup = self.setup, None
        if cwd != said["cwd"]:
            said["cwd"] = out["cwd"] = cwd
        if sys.argv != said["argv"]:
            said["argv"] = list(sys.argv)
            out["argv"] = [str(a) for a in sys.argv]
        raw = os.environ._data
        if raw != said["raw"]:
            env = {k: v for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST"}
            if env != said["env"] and said["env"] is not None:
                out["env"] = env
            said["env"], said["raw"] = env, dict(raw)
        for n, real in self.plain.items():
            now = getattr(builtins, n)
            if now is not said["builtins"].get(n, real):
                out.setdefault("builtins", {})[n] = None if now is real else self.encode(now)
                said["builtins"][n] = now
        if self.patches:
            out["patches"] = [[m, n, self.encode(v[0]) if v else None] for m, n, v in self.patches]
            self.patches = []
        shared = self.shared(values, cwd)
        if shared:
            out["files"] = shared
        return out or None

    def all_of(self, module, names):
        """What `from module import *` binds in the tests."""
        names = [n for n in names if type(n) is str] if type(names) in (list, tuple) else []
        taken, used = self.starred
        kept = [n for n in names if n not in taken]
        # Nothing else is used: the tests mean the learner's own sum().
        if not used.intersection(kept) and used.intersection(n for n in names if hasattr(builtins, n)):
            self.cannot(f"the tests import all names of {module}, which are those of built-in functions")
        return kept

    def speaks_of(self, module, name):
        """Whether the tests take a function of that name from a module."""
        import re

        last = re.escape(module.rpartition(".")[2])
        text = "\n".join(self.texts)
        also = set(re.findall(rf"\b{last}\s+as\s+(\w+)", text)) | {last}
        return name in self.asked.get(module, ()) or any(re.search(rf"\b{a}\.{name}\b", text) for a in also) or re.search(rf"\bimport\b[^\n]*\b{name}\b", text) is not None

    def attribute(self, module, name):
        """A module's attribute; those that came with an import count until
        anything else is asked."""
        requests, of, early = self.early
        if requests == self.requests and of == module and name in early:
            return early[name]
        return self.request("modattr", module, name)

    def shared(self, values, cwd):
        """Files that the tests hand over: those that they name in a call, those
        in the folder they went to, and those they wrote where programs start."""
        found = set(self.files.touched)
        self.files.touched = {}
        if found:
            self.written |= found
            self.held |= {p for p in found if p.startswith(UNGUESSED)}
        if self.held:
            told = [*texts(values), *sys.argv, *os.environ.values()]
            freed = {p for p in self.held if any(p in v or v.rstrip("/\n").endswith(os.path.dirname(p)) for v in told)}
            self.held -= freed
            found = found - self.held | freed
        todo = [v for v in values if type(v) not in QUIET]
        if cwd != ROOT:
            todo.append(cwd)
        elif not todo and not found:
            return None
        for _ in range(3):
            deeper = []
            for v in todo:
                if type(v) in QUIET:
                    continue
                if type(v) is str and 0 < len(v) < 1024 and "\n" not in v and "\0" not in v or type(v).__name__ == "PosixPath" and hasattr(v, "__fspath__"):
                    path = os.path.abspath(os.fspath(v))
                    if path != ROOT and files.shareable(path, ROOT) and os.path.lexists(path):
                        there = walk(path)
                        found.update(there)
                        self.told.update(there)
                        self.held.difference_update(there)
                elif type(v) in (list, tuple) and len(v) < 100:
                    deeper.extend(v)
                elif type(v) is dict and len(v) < 100:
                    deeper.extend(v.values())
            todo = deeper
        out = []
        for path in sorted(found):
            if path in self.task_files and path.endswith(SUFFIXES) or path.startswith(os.path.join(ROOT, ".judge")):
                continue
            now = files.contents(path)
            if self.sent_files.get(path, 0) != now and not (now is None and path not in self.sent_files):
                self.sent_files[path] = now
                out.append([path, now])
        return out

    def arrived(self, state):
        for path, data in state or ():
            path = os.path.abspath(path)
            if path in self.task_files or path.endswith(SUFFIXES) or not files.shareable(os.path.realpath(path), ROOT) or os.path.basename(path) == "conftest.py":
                continue
            if path in self.written and path not in self.told and not self.knows(path):
                continue  # the tests' own, such as what a file is compared with
            on, self.files.on = self.files.on, False
            try:
                files.store(path, data)
                self.sent_files[path] = data
            except OSError:
                pass
            self.files.on = on

    def knows(self, path):
        """Whether the code may change a file of the tests' that no call named:
        where programs start, and by arguments and environment."""
        return path.startswith((ROOT + "/", os.getcwd() + "/")) or any(path in v for v in (*sys.argv, *os.environ.values()))

    def printed(self, stream, text):
        if stream not in (1, 2) or type(text) is not str:
            return
        try:
            (sys.stdout if stream == 1 else sys.stderr).write(text)
        except ValueError:  # closed by the test
            pass


def texts(values, deep=3):
    for v in values:
        if type(v) is str:
            yield v
        elif deep and type(v) in (list, tuple, dict):
            yield from texts(v.values() if type(v) is dict else v, deep - 1)


def is_mock(obj):
    mock = sys.modules.get("unittest.mock")
    return mock is not None and isinstance(obj, mock.NonCallableMock)


def walk(path):
    if not os.path.isdir(path):
        return [path]
    out = [path]
    for here, folders, names in os.walk(path):
        out += [os.path.join(here, n) for n in folders + names]
        if len(out) > 200:
            break
    return out[:200]


class StandInModule(types.ModuleType):
    """A module of the submission, as the tests see it."""

    def __getattr__(self, name):
        if name.startswith("_tracker") or name in ("__path__", "__wrapped__", "__spec__", "__loader__", "__package__"):
            raise AttributeError(name)
        if self._tracker_name + "." + name in standin.peer.own_modules:  # the task's, in a folder of that name
            try:
                return importlib.import_module(self.__name__ + "." + name)
            except ModuleNotFoundError:
                pass
        found = standin.peer.attribute(self._tracker_name, name)
        if name == "__all__" and standin.peer.starred:
            return standin.peer.all_of(self._tracker_name, found)
        if name in standin.SAYS and callable(found) and not standin.peer.speaks_of(self.__name__, name):
            raise AttributeError(name)  # a module is no text either
        # What is named as a class is one; a function may not turn out as one
        # whose objects please everybody.
        if isinstance(found, standin.Meta) and name[:1].isupper():
            type.__setattr__(found, "_tracker_known", True)
        return found

    def __setattr__(self, name, value):
        if name.startswith("_tracker") or name in ("__path__", "__spec__", "__loader__", "__package__", "__file__", "__name__", "__doc__", "__cached__") or isinstance(value, StandInModule):
            return super().__setattr__(name, value)
        standin.peer.request("modset", self._tracker_name, name, value)

    @property
    def __dict__(self):
        return standin.peer.request("modvars", self._tracker_name)

    def __delattr__(self, name):
        standin.peer.request("moddel", self._tracker_name, name)

    def __dir__(self):
        return standin.peer.request("moddir", self._tracker_name)


class Finder:
    """Finds stand-ins for the submission's modules."""

    def __init__(self, carrier, names, tops):
        self.carrier, self.names, self.tops = carrier, names, tops
        self.root = os.path.basename(ROOT) + "." if os.path.exists(os.path.join(ROOT, "__init__.py")) else None

    def find_spec(self, fullname, path=None, target=None):
        name = fullname
        if self.root and fullname.startswith(self.root):
            name = fullname[len(self.root):]
        if name not in self.names:
            return None
        if "." in fullname:
            found = importlib.machinery.PathFinder.find_spec(fullname, path)
            if found is not None and found.origin:
                return None
        elif name not in self.tops:
            return None
        return importlib.machinery.ModuleSpec(fullname, Loader(name), is_package=False)


class Loader:
    def __init__(self, name):
        self.name = name

    def create_module(self, spec):
        m = StandInModule(spec.name)
        m._tracker_name = self.name
        return m

    def exec_module(self, m):
        peer = standin.peer
        package, file, doc, early = peer.request("import", self.name, tuple(peer.asked.get(self.name, ())))
        peer.early = peer.requests, self.name, dict(early)
        parts = self.name.split(".")
        own = [p for p in (os.path.join(f, *parts) for f in peer.first) if os.path.isdir(p)] if self.name in peer.own_modules else []
        if package or own:
            m.__path__ = list(dict.fromkeys([os.path.join(ROOT, *parts), *own]))
            m.__package__ = m.__spec__.name
        if type(file) is str:
            m.__file__ = file
        m.__doc__ = doc if type(doc) is str else None
