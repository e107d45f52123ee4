"""How results leave the process: lines, each with a code that only the holder
of the key can make, and what the learner's code prints meanwhile."""
import hashlib
import hmac
import io
import json
import os
import sys
import time
import traceback

from .places import ROOT

KEEP = 64 << 10  # of each test's output
TEXT = 8 << 10


class Events:
    def __init__(self, path, key):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        mac = hmac.new(key, digestmod=hashlib.sha256)
        write, dumps, pid, getpid = os.write, json.dumps, os.getpid(), os.getpid
        number = [0]

        def send(kind, **fields):
            if getpid() != pid:  # a fork of the learner's has no say
                return
            fields["kind"] = kind
            line = dumps(fields).encode()
            number[0] += 1
            m = mac.copy()
            m.update(b"%d " % number[0] + line)
            write(fd, m.hexdigest().encode() + b" " + line + b"\n")

        self.send = send


class Sink(io.RawIOBase):
    """Takes what is printed: keeps the beginning, counts all."""

    def __init__(self, limit, over):
        self.limit, self.over, self.total = limit, over, 0
        self.take()

    def take(self):
        parts = getattr(self, "parts", [])
        self.parts, self.kept = [], 0
        text = b"".join(parts).decode("utf-8", "backslashreplace")
        return text + "\n…" if self.kept >= KEEP else text

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self.total += len(data)
        if self.total > self.limit:
            self.over()
        if self.kept < KEEP:
            self.parts.append(data[:KEEP - self.kept])
            self.kept += len(self.parts[-1])
        return len(data)


class Output:
    """Catches sys.stdout and sys.stderr; take returns what came since."""

    installed = None

    def __init__(self, out, limit):
        def over():
            out.send("output_limit", limit=limit)
            os._exit(5)

        self.sink = Sink(limit, over)
        self.stream = io.TextIOWrapper(self.sink, encoding="utf-8", errors="backslashreplace", write_through=True)

    def install(self):
        Output.installed = self
        sys.stdout = sys.stderr = self.stream

    def take(self):
        self.stream.flush()
        return self.sink.take()


def clip(text, limit=TEXT):
    return text if len(text) <= limit else text[:limit] + " …"


def safe(f, *args):
    """The result of code that may be the learner's."""
    try:
        return str(f(*args))
    except BaseException as e:  # noqa: B036
        return f"<{type(e).__name__} in {getattr(f, '__name__', 'repr')}()>"


def failure(exc, tb, tests):
    """What a learner should know of an exception."""
    learner = test = None
    frames = traceback.extract_tb(tb)
    for fr in frames:
        name = os.path.relpath(fr.filename, ROOT) if os.path.isabs(fr.filename) else fr.filename
        if name.startswith(("..", ".judge", "<")):
            continue
        place = {"file": name, "line": fr.lineno or 0, "text": clip(fr.line or "", 300)}
        if name in tests:
            test = place
        else:
            learner = place
    for name, line, text in getattr(exc, "_tracker_places", ()):  # from the submission's process
        learner = {"file": name, "line": line, "text": clip(text, 300)}
    kind = type(exc)
    out = {
        "type": clip(kind.__name__, 200), "message": clip(safe(str, exc)),
        "learner": learner, "test": test,
    }
    if isinstance(exc, SyntaxError):
        out["learner"] = {"file": os.path.relpath(exc.filename or "", ROOT) if exc.filename else "", "line": exc.lineno or 0, "text": clip(exc.text or "", 300)}
    if isinstance(exc, ImportError):
        out["import_name"], out["import_attr"] = exc.name or "", getattr(exc, "name_from", None) or ""
    values = getattr(exc, "_judged", None)
    if type(values) is tuple:
        out["actual"], out["expected"] = values
    return out


def now():
    return time.monotonic()
