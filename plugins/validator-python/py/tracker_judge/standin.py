"""Stand-ins: what one process holds of the other's classes, objects and
functions. Using one asks the process that has the real thing."""
import types

from . import carry

FORWARD = {"__%s__" % n for n in (
    "len iter next reversed contains getitem setitem delitem call enter exit bool str repr format bytes int float complex index round trunc floor ceil "
    "neg pos abs invert lt le gt ge divmod rdivmod length_hint fspath aenter aexit aiter anext await copy deepcopy "
    "add sub mul truediv floordiv mod pow matmul lshift rshift and or xor "
    "radd rsub rmul rtruediv rfloordiv rmod rpow rmatmul rlshift rrshift rand ror rxor "
    "iadd isub imul itruediv ifloordiv imod ipow imatmul ilshift irshift iand ior ixor").split()}
COMPARE = {"__lt__", "__le__", "__gt__", "__ge__"}
ARITHMETIC = {"__%s%s__" % (side, n) for n in "add sub mul truediv floordiv mod pow matmul lshift rshift and or xor divmod".split() for side in ("", "r", "i")}
TO_NUMBER = {"__%s__" % n for n in "abs round float int complex index bool trunc floor ceil neg pos".split()}
# Methods of texts, sets and lists that are handed what a test expects, and say
# whether it is so.
SAYS = {"startswith", "endswith", "issuperset", "issubset", "isdisjoint", "difference", "symmetric_difference", "intersection", "count", "index", "rindex", "find", "rfind", "removeprefix", "removesuffix"}
SHOWN = {"__str__", "__repr__", "__format__"}
LOCAL = {"__class__", "__dict__", "__weakref__", "__module__", "__doc__", "__slots__", "__getattribute__", "__getattr__", "__setattr__", "__delattr__",
         "__del__", "__new__", "__init_subclass__", "__subclasshook__", "__class_getitem__", "__reduce__", "__reduce_ex__", "__sizeof__", "__dir__",
         "__instancecheck__", "__subclasscheck__", "__abstractmethods__", "__eq__", "__ne__", "__hash__", "__qualname__", "__name__", "__mro__", "__bases__",
         "__set_name__", "__get__", "__set__", "__delete__", "__getstate__", "__setstate__", "__prepare__", "__traceback__", "__cause__", "__context__", "__suppress_context__"}
peer = None  # set at the start


def is_remote(x):
    return hasattr(type(x), "_tracker_meta_of")


def has_say(x):
    """Whether an object may be asked about plain values: the tests made it, or
    know its class by name."""
    return not peer.strict or peer.trusts_equality or (x._tracker_known if isinstance(x, Meta) else x._tracker_made or type(x)._tracker_known)


def attribute(x, name):
    """What x has by that name, over there."""
    found = peer.request("getattr", x, name)
    return refused(x, name) if name in SAYS and callable(found) and not has_say(x) else found


def refused(x, name):
    """A method of SAYS, of what x is beneath its own class, or none."""
    kind = x.__name__ if isinstance(x, Meta) else type(x).__name__
    if getattr(x, "_tracker_plain", False) and not isinstance(x, Meta):
        below = peer.request("plain", x)
        if hasattr(below, name):
            return getattr(below, name)
    raise AttributeError(f"{name} is for texts, sets and lists: {kind} of your code is not asked")


class Attr:
    """An attribute of a class, fetched where the class is."""

    def __init__(self, name, kind):
        self.name, self.kind, self.owner = name, kind, None

    def __get__(self, obj, owner=None):
        if obj is None:
            return attribute(self.owner if getattr(owner, "_tracker_local", False) else owner, self.name)
        base = type(obj)._tracker_base
        if base in carry.IMMUTABLE_BASES and peer.strict and not obj._tracker_made and self.name in vars(base):
            return getattr(base, self.name).__get__(obj)  # a text answers as texts do
        if self.kind == "f":
            # A class of the tests' has methods of its own: what it asks of its
            # base by super() must not come back to them.
            return Method(obj, self.name, self.owner if getattr(type(obj), "_tracker_local", False) else None)
        return attribute(obj, self.name)

    def __set__(self, obj, value):
        peer.request("setattr", obj, self.name, value)

    def __delete__(self, obj):
        peer.request("delattr", obj, self.name)


class Method:
    def __init__(self, obj, name, owner):
        self.__self__, self.__name__, self._tracker_owner = obj, name, owner

    def __call__(self, *args, **kwargs):
        if self.__name__ in SAYS and not has_say(self.__self__) and not all(map(is_remote, args)):
            return refused(self.__self__, self.__name__)(*args, **kwargs)
        return peer.request("callattr", self.__self__, self.__name__, self._tracker_owner, args, kwargs)

    def __getattr__(self, name):
        if name.startswith("_tracker"):
            raise AttributeError(name)
        return getattr(peer.request("getattr", self.__self__, self.__name__), name)

    def __eq__(self, other):
        return isinstance(other, Method) and other.__self__ is self.__self__ and other.__name__ == self.__name__

    def __hash__(self):
        return hash((id(self.__self__), self.__name__))

    def __repr__(self):
        return f"<bound method {type(self.__self__).__qualname__}.{self.__name__} of {self.__self__!r}>"


def operation(name):
    def forward(self, *args):
        if not peer.strict or peer.trusts_equality:
            return peer.request("op", self, name, args)
        if self._tracker_made:  # the tests made it, so they ask for its own answer
            result = peer.request("op", self, name, args)
            if name in ARITHMETIC and is_remote(result) and (type(result) is type(self) or type(result)._tracker_known):
                object.__setattr__(result, "_tracker_made", True)
            return result
        # Where tests measure a result against a plain value, an object made to please
        # must have no say: neither by its order nor by a difference of nothing.
        base = type(self)._tracker_base
        if args and not is_remote(args[0]) and (name in COMPARE or name in ARITHMETIC):
            if base:
                return getattr(base, name)(self, *args) if hasattr(base, name) else NotImplemented
            if name in COMPARE:
                return NotImplemented
            result = peer.request("op", self, name, args)
            if not is_remote(result):
                return NotImplemented
            object.__setattr__(result, "_tracker_measured", True)
            return result
        if base in carry.IMMUTABLE_BASES and name not in SHOWN and name in vars(base):
            return getattr(base, name)(self, *args)
        if name == "__contains__" and not type(self)._tracker_known and not is_remote(args[0]):
            return any(x is args[0] or x == args[0] for x in self)
        if name in TO_NUMBER and not base and self._tracker_measured:
            raise TypeError(f"{name} of a {type(self).__name__} that was measured against a plain value is not taken from your code")
        result = peer.request("op", self, name, args)
        if name in ARITHMETIC and self._tracker_measured and is_remote(result):
            object.__setattr__(result, "_tracker_measured", True)
        return result

    forward.__name__ = forward.__qualname__ = name
    return forward


class Meta(type):
    _tracker_meta = True
    _tracker_making = False

    def __new__(mcs, name, bases, ns, **kwargs):
        if "_tracker_ref" in ns:
            return type.__new__(mcs, name, bases, ns)
        # A class of the tests' on top of one of the submission's.
        own = {n: ("s" if isinstance(v, staticmethod) else "c" if isinstance(v, classmethod) else "p" if isinstance(v, property) else "f" if isinstance(v, types.FunctionType) else "d")
               for n, v in ns.items() if n not in LOCAL and not n.startswith("_tracker") and n not in ("__classcell__", "__annotations__")}
        # Data lives with the objects, over there.
        data = {n: Attr(n, "d") for n, kind in own.items() if kind == "d" and not hasattr(ns[n], "__get__")}
        cls = type.__new__(mcs, name, bases, {**ns, **data, "_tracker_local": True, "_tracker_known": True})
        for attr in data.values():
            attr.owner = cls
        ref = peer.request("newclass", cls, name, tuple(bases), own, {n: v for n, v in ns.items() if own.get(n) == "d"}, kwargs)
        type.__setattr__(cls, "_tracker_ref", ref)
        peer.codec_kept(ref, cls)
        return cls

    def __init__(cls, name, bases, ns, **kwargs):
        type.__init__(cls, name, bases, ns)

    def __call__(cls, *args, **kwargs):
        made = peer.request("call", cls, args, kwargs)
        if cls._tracker_known and is_remote(made):
            object.__setattr__(made, "_tracker_made", True)
        return made

    def __getattr__(cls, name):
        if name.startswith("_tracker") or name in LOCAL:
            raise AttributeError(name)
        return attribute(cls, name)

    def __setattr__(cls, name, value):
        if name.startswith("_tracker") or name in LOCAL:
            return type.__setattr__(cls, name, value)
        if getattr(cls, "_tracker_local", False):
            type.__setattr__(cls, name, value)
        if isinstance(value, Attr):  # what vars(cls) gave to one who patches
            return peer.request("restore", cls, name)
        peer.request("setattr", cls, name, value)

    def __delattr__(cls, name):
        peer.request("delattr", cls, name)

    def __dir__(cls):
        return peer.request("dir", cls)

    def __instancecheck__(cls, x):
        return type.__instancecheck__(cls, x) or is_remote(x) and peer.request("isinstance", x, cls)

    def __iter__(cls):
        return peer.request("op", cls, "__iter__", ())

    def __len__(cls):
        return peer.request("op", cls, "__len__", ())

    def __bool__(cls):
        return True

    def __getitem__(cls, key):
        return peer.request("subscript", cls, key)

    def __contains__(cls, x):
        return peer.request("op", cls, "__contains__", (x,))


class Held(metaclass=Meta):
    """Has the dict that Remote hides."""

    _tracker_ref = None


class Remote(Held):
    """Base of all stand-ins for objects."""

    _tracker_ref = None
    _tracker_meta_of = True
    _tracker_measured = _tracker_made = _tracker_known = _tracker_names = False
    _tracker_base = None
    _tracker_equals = _tracker_hashes = _tracker_plain = False

    @property
    def __dict__(self):
        return peer.request("getattr", self, "__dict__")

    def __getattr__(self, name):
        if name.startswith("_tracker") or name in LOCAL and not (type(self)._tracker_names and name in ("__name__", "__qualname__")):
            raise AttributeError(name)
        return attribute(self, name)

    def __setattr__(self, name, value):
        if name.startswith(("_tracker", "_judged", "__traceback", "__cause", "__context", "__suppress", "__notes")):
            return object.__setattr__(self, name, value)
        peer.request("setattr", self, name, value)

    def __delattr__(self, name):
        peer.request("delattr", self, name)

    def __dir__(self):
        return peer.request("dir", self)

    def __repr__(self):
        return peer.request("op", self, "__repr__", ())

    def __str__(self):
        return peer.request("op", self, "__str__", ())

    def __format__(self, spec):
        return peer.request("op", self, "__format__", (spec,))

    def __eq__(self, other):
        t = type(self)
        if is_remote(other) or not peer.strict or peer.trusts_equality:
            if self is other and not t._tracker_equals:
                return True
            if t._tracker_equals:
                return peer.request("op", self, "__eq__", (other,))
            if not t._tracker_base:
                return NotImplemented
        if t._tracker_base:
            return t._tracker_base.__eq__(self, other)
        if t._tracker_plain and not is_remote(other):
            return peer.request("plain", self) == other
        return NotImplemented

    def __ne__(self, other):
        same = self.__eq__(other)
        return same if same is NotImplemented else not same

    def __hash__(self):
        if type(self)._tracker_hashes:
            return peer.request("op", self, "__hash__", ())
        if type(self)._tracker_base:
            return type(self)._tracker_base.__hash__(self)
        return object.__hash__(self)

    def __copy__(self):
        return peer.request("std", "copy", "copy", (self,), {})

    def __deepcopy__(self, memo):
        return peer.request("std", "copy", "deepcopy", (self,), {})

    def __reduce_ex__(self, protocol):
        raise TypeError(f"{type(self).__name__!r} objects of your code can't be pickled by the tests")

    def __del__(self):
        d = own(self)
        if "_tracker_id" in d and peer is not None:
            peer.codec_released(d["_tracker_id"], d["_tracker_n"])


own = type.__getattribute__(Held, "__dict__")["__dict__"].__get__  # the real dict of a stand-in


def make_class(info, bases):
    """A stand-in for a class, from its description and its decoded bases."""
    remote = [b for b in bases if isinstance(b, Meta)]
    base = next((b for b in bases if b in carry.IMMUTABLE_BASES or issubclass(b, BaseException) and not isinstance(b, Meta)), None)
    inherited = next((b for b in remote if b._tracker_base), None)
    ns = {"_tracker_ref": None, "__module__": info["module"], "__qualname__": info["qualname"], "__doc__": info["doc"]}
    attrs = []
    for name, kind in info["own"].items():
        if name == "__call__":
            ns[name] = lambda self, *args, **kwargs: peer.request("call", self, args, kwargs)
        elif name in FORWARD:
            ns[name] = operation(name)
        elif name not in LOCAL and not name.startswith("_tracker"):
            ns[name] = Attr(name, kind)
            attrs.append(ns[name])
    for b in bases:  # of one that is not rebuilt here, all is asked for
        if not isinstance(b, Meta) and b not in carry.IMMUTABLE_BASES and not issubclass(b, BaseException):
            for name in dir(b):
                if name in FORWARD and name not in vars(object):
                    ns.setdefault(name, operation(name))
    own = info["own"]
    if "__eq__" in own:
        ns["_tracker_equals"] = True
        ns["_tracker_hashes"] = "__hash__" in own and own["__hash__"] != "none"
        if own.get("__hash__") == "none" and not base:
            ns["__hash__"] = None
    elif "__hash__" in own:
        ns["_tracker_hashes"] = own["__hash__"] != "none"
    if base or inherited:
        real = base or inherited._tracker_base
        ns["_tracker_base"] = real
        if base:  # values come with the object; texts are the base's unless the class has its own
            for n in ("__repr__", "__str__", "__format__"):
                ns.setdefault(n, getattr(real, n))
    if info["plain"]:
        ns["_tracker_plain"] = True
    parents = tuple(remote or [Remote]) + ((base,) if base else ())
    try:
        cls = type.__new__(Meta, info["name"], parents, ns)
    except TypeError:
        ns.pop("_tracker_base", None)
        cls = type.__new__(Meta, info["name"], (remote or [Remote])[:1] and tuple((remote or [Remote])[:1]), ns)
    for a in attrs:
        a.owner = cls
    return cls


def name_functions(cls):
    """Has functions that hold data of their own say what they are called."""
    type.__setattr__(cls, "_tracker_names", True)
    type.__setattr__(cls, "__doc__", property(lambda self: peer.request("getattr", self, "__doc__")))


def make_object(cls, base, value):
    if base is not None and issubclass(cls, base):
        return base.__new__(cls, value)
    base = cls._tracker_base or object
    return base.__new__(cls)


def make_function(info):
    if info["async"]:
        async def stand_in(*args, **kwargs):
            return await peer.request("call", stand_in, args, kwargs)
    else:
        def stand_in(*args, **kwargs):
            return peer.request("call", stand_in, args, kwargs)
    stand_in.__name__, stand_in.__qualname__ = info["name"] or "?", info["qualname"] or "?"
    stand_in.__module__, stand_in.__doc__ = info["module"], info["doc"]
    stand_in.__annotations__ = {n: peer.decode(a) for n, a in info.get("annotations") or ()}
    return stand_in


def drive(ref):
    """A generator whose steps are made where the real one is."""
    sent, how = None, "next"
    while True:
        done, value = peer.request("generator", ref, how, sent)
        if done:
            return value
        try:
            sent = yield value
            how = "send" if sent is not None else "next"
        except GeneratorExit:
            if peer.alive:
                peer.request("generator", ref, "close", None)
            raise
        except BaseException as e:
            sent, how = e, "throw"


async def await_there(ref):
    return peer.request("await", ref)
