"""Calls over the channel: one side asks, and serves what the other asks of it
until its answer is there."""
import json
import os
import select
import struct
import threading
import types

from . import carry, standin

LIMIT = 64 << 20
SOON = 150
yield_ = os.sched_yield
DEPTH = 120
LOOKS = frozenset(("modattr", "getattr", "import", "isinstance", "generator", "await", "describe", "dir", "plain"))  # hand nothing over
NAMED_LAST = frozenset(("call", "callattr", "localattr", "std", "run"))
ASK, DONE, RAISED, PRINTED = 0, 1, 2, 3


class Ended(BaseException):
    """The other process is gone."""


class Peer(carry.Codec):
    strict = False  # whether the other side's objects may decide what they equal
    trusts_equality = False

    def __init__(self, fd, first):
        super().__init__(first)
        self.fd = fd
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        self.waits = poll.poll
        self.lock = threading.RLock()
        self.sending = threading.Lock()
        self.named = {}
        self.depth, self.alive, self.buffer = 0, True, b""
        self.requests = 0
        standin.peer = self

    # Messages.

    def send(self, message):
        data = json.dumps(message, separators=(",", ":")).encode()
        if len(data) > LIMIT:
            raise MemoryError("more data than can be carried between the tests and your code")
        with self.sending:
            try:
                data = memoryview(struct.pack(">I", len(data)) + data)
                while data:
                    data = data[os.write(self.fd, data):]
            except OSError:
                self.lost()

    def receive(self):
        while True:
            if len(self.buffer) >= 4:
                size = struct.unpack_from(">I", self.buffer)[0]
                if size > LIMIT:
                    raise carry.Broken("a message is too long")
                if len(self.buffer) >= 4 + size:
                    data, self.buffer = self.buffer[4:4 + size], self.buffer[4 + size:]
                    return json.loads(data)
                if size > 1 << 16:
                    return self.receive_long(size)
            try:
                # An answer mostly comes sooner than a sleeping process wakes up.
                for _ in range(SOON):
                    if self.waits(0):
                        break
                    yield_()
                more = os.read(self.fd, 1 << 16)
            except OSError:
                more = b""
            if not more:
                self.lost()
            self.buffer += more

    def receive_long(self, size):
        parts, have = [self.buffer[4:]], len(self.buffer) - 4
        while have < size:
            try:
                more = os.read(self.fd, min(1 << 18, size - have))
            except OSError:
                more = b""
            if not more:
                self.lost()
            parts.append(more)
            have += len(more)
        self.buffer = b""
        return json.loads(b"".join(parts))

    def lost(self):
        self.alive = False
        raise Ended

    def request(self, op, *args):
        with self.lock:
            if not self.alive:
                self.lost()
            if self.depth > DEPTH:
                raise RecursionError("maximum recursion depth exceeded between the tests and your code")
            self.depth += 1
            self.requests += 1
            try:
                sync = self.changes()
                state = self.state(args if op not in LOOKS else ())
                values = [self.encode(a) for a in (args[:-1] if op in NAMED_LAST else args)]
                if op in NAMED_LAST:  # made for this call: nobody keeps it
                    values.append(["d", list(args[-1]), self.many(args[-1].values())])
                self.send([ASK, sync, state, op, values])
                return self.answer()
            finally:
                self.depth -= 1
                if self.depth == 0:
                    self.tidy()

    def answer(self):
        while True:
            m = self.receive()
            if m[0] == PRINTED:
                self.printed(m[1], m[2])
                continue
            self.apply(m[1])
            self.arrived(m[2])
            if m[0] == DONE:
                return self.decode(m[3])
            if m[0] == RAISED:
                raise self.decode(m[3])
            self.serve(m)

    def serve(self, m):
        try:
            result = self.handle(m[3], [self.decode(a) for a in m[4]])
            reply = [DONE, self.changes(), self.state((result,)), self.encode(result)]
        except Ended:
            raise
        except BaseException as e:  # noqa: B036
            reply = [RAISED, self.changes(), self.state(()), self.encode_raised(e)]
        self.send(reply)

    def encode_raised(self, e):
        try:
            return self.encode(e)
        except Exception:
            return self.encode(RuntimeError(f"{type(e).__name__} (can't be carried)"))

    def state(self, values):
        """What else the other side must know now."""
        return None

    def arrived(self, state):
        pass

    def printed(self, stream, text):
        pass

    # Stand-ins.

    def codec_released(self, ref, n):
        self.released.append([ref, n])

    def codec_kept(self, ref, x):
        self.kept[ref] = x

    def describe(self, cls):
        own = {}
        for name, value in vars(cls).items():
            if type(name) is str and self.describes(name):
                own[name] = kind_of(value)
        if "__hash__" in vars(cls) and vars(cls)["__hash__"] is None:
            own["__hash__"] = "none"
        return {"name": cls.__name__, "qualname": cls.__qualname__, "module": cls.__module__ if type(cls.__module__) is str else None,
                "doc": cls.__doc__ if type(cls.__doc__) is str else None, "own": own,
                "plain": any(b in (list, dict, set, bytearray) for b in cls.__mro__), "bases": [self.encode(b) for b in cls.__bases__ if b is not object]}

    def describes(self, name):
        return True

    def incoming(self, v):
        _, ref, kind, info = v
        if type(ref) is not int or ref % 2 == self.next_ref % 2:
            raise carry.Broken("a reference of the wrong side")
        got = self.kept.get(ref)
        if got is None:
            got = self.imports.get(ref)
        if got is not None:
            if standin.is_remote(got):
                object.__setattr__(got, "_tracker_n", object.__getattribute__(got, "_tracker_n") + 1)
            return got
        if kind == "c":
            info = info or self.request("describe", ref)
            bases = [b for b in map(self.decode, info["bases"]) if isinstance(b, type)]
            if ref in self.kept:  # described again on the way
                return self.kept[ref]
            cls = standin.make_class(info, bases)
            type.__setattr__(cls, "_tracker_ref", ref)
            self.kept[ref] = cls
            return cls
        if kind == "f":
            f = standin.make_function(info)
            self.functions[f] = ref
            self.kept[ref] = f
            return f
        if kind in "ga":
            x = standin.drive(ref) if kind == "g" else standin.await_there(ref)
            self.generators[x] = ref
            self.imports[ref] = x
            return x
        cls = self.decode(info[0])
        if not isinstance(cls, standin.Meta):  # an object of a class that is known by name only
            if cls not in self.named:
                self.named[cls] = standin.make_class({"name": cls.__name__, "qualname": cls.__qualname__, "module": cls.__module__, "doc": None, "plain": False,
                                                      "own": {n: kind_of(getattr(cls, n, None)) for n in dir(cls) if n not in standin.LOCAL}}, [])
                if cls is types.FunctionType:
                    standin.name_functions(self.named[cls])
            cls = self.named[cls]
        base = value = None
        if info[1]:
            base, value = carry.NAMED[info[1][0]], self.decode(info[1][1])
            if base not in carry.IMMUTABLE_BASES or type(value) is not base:
                raise carry.Broken("a value of the wrong type")
        return self.keep_object(ref, standin.make_object(cls, base, value))

    def keep_object(self, ref, x):
        object.__setattr__(x, "_tracker_id", ref)
        object.__setattr__(x, "_tracker_n", 1)
        try:
            self.imports[ref] = x
        except TypeError:
            self.kept[ref] = x
        return x

    def new_exception(self, v):
        _, ref, cls, args, places, links, attrs = v
        cls, args = self.decode(cls), self.decode(args)
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            cls = Exception
        x = self.imports.get(ref) if ref is not None else None
        if x is None and isinstance(cls, standin.Meta):
            x = (cls._tracker_base or Exception).__new__(cls, *args)
            BaseException.args.__set__(x, args)
            self.keep_object(ref, x)
        elif x is None:
            try:
                x = cls(*args)
            except Exception:
                x = cls.__new__(cls)
                x.args = args
            for k, value in attrs.items():
                try:
                    setattr(x, k, value)
                except (AttributeError, TypeError):
                    pass
        x._tracker_places = [(str(f), int(n), str(t)) for f, n, t in places]
        cause, context = (self.decode(link) if link else None for link in links)
        if isinstance(cause, BaseException):
            x.__cause__ = cause
        elif isinstance(context, BaseException):
            x.__context__ = context
        return x


def kind_of(value):
    if isinstance(value, staticmethod):
        return "s"
    if isinstance(value, classmethod):
        return "c"
    if isinstance(value, property):
        return "p"
    return "f" if callable(value) and not isinstance(value, type) and hasattr(value, "__get__") else "d"


def own_descriptor():
    """The channel, moved out of the way and closed to children."""
    fd = os.dup(3)
    os.close(3)
    os.set_inheritable(fd, False)
    return fd
