"""The process of the submission: holds the learner's modules, and does what
the tests ask of them. It knows nothing of tests and results."""
import builtins
import importlib
import importlib.machinery
import os
import sys
import time
import types
from _thread import get_ident

from . import files, paths, peer
from .places import ROOT

PATCHABLE = {"print", "open"}
ALONE = {"input", "stdin"}  # what is asked without anything of the tests'
EARLY = (types.FunctionType, type, int, str)  # what goes along with an import


class Submission(peer.Peer):
    def __init__(self, fd):
        super().__init__(fd, 2)
        self.real = {n: getattr(builtins, n) for n in PATCHABLE}
        self.patched = {}
        self.env = None
        self.files = files.Watcher(ROOT)
        self.imported, self.replaced = set(), {}
        self.loop, self.thread = None, get_ident()

    def places(self, frames):
        import linecache

        out = []
        for name, line in frames:
            short = os.path.relpath(name, ROOT) if os.path.isabs(name) else name
            if not short.startswith(("..", ".judge", "<")):
                out.append([short, line, linecache.getline(name, line)[:400]])
        return out[-20:]

    def module(self, name):
        return importlib.import_module(name)

    def state(self, values):
        sys.stdout.flush()
        sys.stderr.flush()
        return self.files.written()

    def arrived(self, state):
        if not state:
            return
        if "setup" in state:
            self.set_up(*state["setup"])
        for path, data in state.get("files", ()):
            files.store(path, data)
        if "cwd" in state:
            os.makedirs(state["cwd"], exist_ok=True)
            os.chdir(state["cwd"])
        if "argv" in state:
            sys.argv[:] = state["argv"]
        if "env" in state:
            os.environ.clear()
            os.environ.update(state["env"])
        for name, value in state.get("builtins", {}).items():
            setattr(builtins, name, self.real[name] if value is None else self.decode(value))
        for module, name, value in state.get("patches", ()):
            self.patch(module, name, value)

    def patch(self, module, name, value):
        m = importlib.import_module(module)
        if value is None:
            if (module, name) in self.patched:
                setattr(m, name, self.patched.pop((module, name)))
        else:
            self.patched.setdefault((module, name), getattr(m, name, None))
            setattr(m, name, self.decode(value))

    def handle(self, op, args):
        return getattr(self, "do_" + op)(*args)

    # What the tests may ask.

    def set_up(self, folders, wanted, job_files):
        first = []
        for p in [ROOT, os.path.join(ROOT, "src")] + [os.path.join(ROOT, p) for p in folders]:
            if p not in first and os.path.isdir(p):
                first.append(p)
        for name in sorted(wanted):
            if importlib.machinery.PathFinder.find_spec(name, first + sys.path) is None or name in sys.stdlib_module_names:
                found = paths._folder_of(ROOT, name, job_files)
                if found and found not in first:
                    first.append(found)
        sys.path[:0] = first
        for name in set(wanted) & set(sys.modules):
            del sys.modules[name]

    def do_import(self, name, asked):
        if name in self.imported and name in sys.modules:
            for n in [n for n in sys.modules if n == name or n.startswith(name + ".")]:
                del sys.modules[n]
        self.imported.add(name)
        m = importlib.import_module(name)
        own = vars(m) if type(m) is types.ModuleType else {}
        early = tuple((n, own[n]) for n in asked if n in own and type(own[n]) in EARLY)
        return hasattr(m, "__path__"), getattr(m, "__file__", None), m.__doc__ if type(m.__doc__) is str else None, early

    def do_reload(self, name):
        importlib.reload(sys.modules[name])

    def do_modattr(self, name, attr):
        m = sys.modules[name]
        if attr == "__all__" and not hasattr(m, "__all__"):
            return [n for n in vars(m) if not n.startswith("_")]
        return getattr(m, attr)

    def do_modset(self, name, attr, value):
        setattr(sys.modules[name], attr, value)

    def do_moddel(self, name, attr):
        delattr(sys.modules[name], attr)

    def do_moddir(self, name):
        return dir(sys.modules[name])

    def do_modvars(self, name):
        return {k: v for k, v in vars(sys.modules[name]).items() if not k.startswith("__")}

    def do_getattr(self, obj, name):
        return getattr(obj, name)

    def do_setattr(self, obj, name, value):
        if isinstance(obj, type):
            self.replaced.setdefault((obj, name), vars(obj).get(name, self))
        setattr(obj, name, value)

    def do_restore(self, cls, name):
        value = self.replaced.pop((cls, name), self)
        if value is not self:
            setattr(cls, name, value)
        elif name in vars(cls):
            delattr(cls, name)

    def do_delattr(self, obj, name):
        delattr(obj, name)

    def do_dir(self, obj):
        return list(dir(obj))

    def do_call(self, f, args, kwargs):
        return f(*args, **kwargs)

    def do_callattr(self, obj, name, owner, args, kwargs):
        if owner is not None:
            return getattr(super_of(obj, owner), name)(*args, **kwargs)
        return getattr(obj, name)(*args, **kwargs)

    def do_op(self, obj, name, args):
        if name == "__next__":
            return next(obj)
        if name == "__iter__" and isinstance(obj, type):
            return iter(obj)
        text = getattr(type(obj), name)(obj, *args)
        if name in ("__repr__", "__str__", "__format__") and type(obj).__repr__ is object.__repr__ and type(text) is str:
            text = text.replace(" at " + hex(id(obj)), "")  # differs from run to run, and says nothing
        return text

    def do_subscript(self, obj, key):
        return obj[key]

    def do_isinstance(self, x, cls):
        return isinstance(x, cls)

    def do_plain(self, obj):
        for base in (list, dict, set, bytearray):
            if isinstance(obj, base):
                return dict(dict.items(obj)) if base is dict else base(base.__iter__(obj))
        return None

    def do_describe(self, ref):
        return self.describe(self.exports[ref][0])

    def do_generator(self, ref, how, sent):
        gen = self.exports[ref][0]
        try:
            if how == "close":
                gen.close()
                return True, None
            if how == "throw":
                return False, gen.throw(sent)
            return False, gen.send(sent) if how == "send" else next(gen)
        except StopIteration as e:
            return True, e.value

    def do_await(self, ref):
        import asyncio

        if self.loop is None:  # what a call leaves in the background goes on with the next one
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(self.exports[ref][0])

    def request(self, op, *args):
        if op not in ALONE and get_ident() != self.thread:
            # The other thread waits for the tests, so this one would wait for it.
            self.send([peer.ASK, 0, None, "threads", []])
            time.sleep(3600)
        return super().request(op, *args)

    def do_std(self, module, name, args, kwargs):
        return getattr(importlib.import_module(module), name)(*args, **kwargs)

    def do_newclass(self, local, name, bases, own, data, kwargs):
        def body(ns):
            ns.update(data)
            for n, kind in own.items():
                if kind != "d":
                    ns[n] = forwarder(self, local, n, kind)

        cls = types.new_class(name, bases, kwargs, body)
        ref = self.next_ref
        self.next_ref += 2
        self.exports[ref] = [cls, 2]
        self.export_ids[id(cls)] = ref
        return ref

    def do_run(self, what, args, kwargs):
        if what.startswith("subprocess."):
            import subprocess

            done = getattr(subprocess, what[11:])(*args, **kwargs)
            if isinstance(done, subprocess.CompletedProcess):
                return ["CompletedProcess", done.args, done.returncode, done.stdout, done.stderr]
            return done
        import runpy

        return {k: v for k, v in getattr(runpy, what)(*args, **kwargs).items() if not k.startswith("__")}


def super_of(obj, owner):
    """obj as one of its bases sees it."""
    mro = type(obj).__mro__ if not isinstance(obj, type) else obj.__mro__
    return super(mro[mro.index(owner) - 1], obj)


def forwarder(carrier, local, name, kind):
    """An attribute that a class of the tests' defines."""
    def call(*args, **kwargs):
        return carrier.request("localattr", local, name, args, kwargs)

    call.__name__ = name
    if kind == "p":
        return property(lambda self: carrier.request("localattr", local, name, (self,), {}))
    if kind == "s":
        return staticmethod(call)
    if kind == "c":
        return classmethod(lambda cls, *args, **kwargs: carrier.request("localattr", local, name, (cls, *args), kwargs))
    return call


def main(job):
    carrier = Submission(peer.own_descriptor())
    out, err = files.Printed(carrier, 1), files.Printed(carrier, 2)
    sys.stdout = sys.__stdout__ = out
    sys.stderr = sys.__stderr__ = err
    sys.stdin = files.Typed(carrier)
    builtins.input = lambda *prompt: carrier.request("input", *prompt)
    sys.argv = [""]
    os.chdir(ROOT)
    carrier.files.start()
    try:
        while True:
            m = carrier.receive()
            carrier.apply(m[1])
            carrier.arrived(m[2])
            with carrier.lock:
                carrier.serve(m)
            carrier.tidy()
    except peer.Ended:
        pass
    os._exit(0)
