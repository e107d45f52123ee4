"""Runs SQL against throw-away databases and writes down what it answers.

What is run, and on what, stands in .judge/job.json; results go to .judge/results,
a line each. Nothing here knows what the task expects: in the room of the
submission there are only data and statements.
"""
import decimal
import json
import math
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.modules["engine"] = sys.modules[__name__]  # one set of classes for all

ROWS = 10_000
BYTES = 3 << 20


class TooMuch(Exception):
    """A result is larger than anybody asked for."""


class TooLong(Exception):
    """The server ended a statement that took more than its time."""


class Failed(Exception):
    """A statement was refused by the database."""

    def __init__(self, message, offset=None, denied="", syntax=False):
        super().__init__(message)
        self.fields = {"message": message, "offset": offset, "denied": denied, "syntax": syntax}


def checks(session, run, got):
    """Runs the task's own statements; the last result is the one that counts."""
    for number, text in enumerate(run.get("checks") or []):
        try:
            table = session.execute(text)
        except Failed as e:
            e.fields["statement"] = number
            raise
        if table is not None:
            got["check"] = table.data()


class Results:
    """Lines that survive when a limit ends the process."""

    def __init__(self, path):
        self.fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.left = BYTES

    def send(self, **fields):
        line = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
        view = memoryview(line)
        while view:
            view = view[os.write(self.fd, view):]


class Table:
    """A result being read, as JSON can hold it."""

    def __init__(self, out, columns):
        self.out, self.columns, self.rows = out, list(columns), []

    def add(self, row):
        row = [value(v) for v in row]
        self.out.left -= 8 + sum(len(v) if isinstance(v, str) else 12 for v in row)
        if self.out.left < 0 or len(self.rows) >= ROWS:
            raise TooMuch()
        self.rows.append(row)

    def data(self):
        return {"columns": self.columns, "rows": self.rows}


def value(v):
    """None, booleans and text as they are; numbers and bytes with their kind."""
    if v is None or isinstance(v, bool):
        return v
    if isinstance(v, str):
        return v.encode("utf-8", "replace").decode()
    if isinstance(v, int):
        return {"n": str(v)}
    if isinstance(v, float):
        return {"n": repr(v)} if math.isfinite(v) else {"n": "inf" if v > 0 else "-inf"} if v == v else {"n": "nan"}
    if isinstance(v, decimal.Decimal):
        return {"n": str(v)}
    return {"b": bytes(v).hex()[:4096]}


def one(engine, out, run):
    """One test on one set of data."""
    got = {}
    phase, number = "setup", 0
    try:
        engine.prepare(run["data"])
        phase = "before"
        engine.before(run.get("before", ""))
        phase = "main"
        session = engine.session(run["writes"])
        try:
            for number, text in enumerate(run["statements"]):
                if run.get("only") and number + 1 != run["only"]:
                    continue
                table = session.execute(text)
                if table is not None:
                    got["result"] = table.data()
        finally:
            got["open"] = session.close()
        phase, number = "check", 0
        if run.get("checks") or run.get("tables"):
            engine.look(run, got, out)
    except Failed as e:
        got["error"] = dict({"statement": number}, phase=phase, **e.fields)
    return got


def main():
    with open(os.path.join(HERE, "job.json"), encoding="utf-8") as f:
        job = json.load(f)
    out = Results(os.path.join(HERE, "results"))
    if job["dialect"] == "postgres":
        from engine_postgres import Engine
    else:
        from engine_sqlite import Engine
    engine = Engine(job, out)
    try:
        out.send(version=engine.version)
        for run in job["runs"]:
            out.send(start=run["id"])
            out.left = BYTES // 4 if len(job["runs"]) > 1 else BYTES
            try:
                out.send(id=run["id"], got=one(engine, out, run))
            except TooMuch:
                out.send(id=run["id"], too_much=True)
                return
            except TooLong:
                out.send(id=run["id"], too_long=True)
            except MemoryError:
                out.send(id=run["id"], memory=True)
                return
        out.send(finished=True)
    finally:
        engine.stop()


if __name__ == "__main__":
    main()
