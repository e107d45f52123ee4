"""SQLite: every test gets a file of its own, which is copied from its data."""
import os
import re
import shutil
import sqlite3

from engine import Failed, Table, TooMuch, checks

FOLDER = "/tmp/db"
# What statements may do, by the codes of sqlite3_set_authorizer.
READS = {20, 21, 22, 31, 32, 33}  # read, select, transaction, function, savepoint, recursive
NEVER = {24, 25}  # attach, detach
PRAGMA, FUNCTION, VTABLE, CREATE_VTABLE = 19, 31, 30, 29
NAMES = {
    1: "CREATE INDEX", 2: "CREATE TABLE", 3: "CREATE TEMP INDEX", 4: "CREATE TEMP TABLE", 5: "CREATE TEMP TRIGGER",
    6: "CREATE TEMP VIEW", 7: "CREATE TRIGGER", 8: "CREATE VIEW", 9: "DELETE", 10: "DROP INDEX", 11: "DROP TABLE",
    12: "DROP TEMP INDEX", 13: "DROP TEMP TABLE", 14: "DROP TEMP TRIGGER", 15: "DROP TEMP VIEW", 16: "DROP TRIGGER",
    17: "DROP VIEW", 18: "INSERT", 19: "PRAGMA", 23: "UPDATE", 24: "ATTACH", 25: "DETACH", 26: "ALTER TABLE",
    27: "REINDEX", 28: "ANALYZE", 29: "CREATE VIRTUAL TABLE", 30: "DROP VIRTUAL TABLE", 31: "FUNCTION",
}
PRAGMAS = {"foreign_keys", "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo",
           "foreign_key_list", "foreign_key_check", "integrity_check", "quick_check", "defer_foreign_keys"}
FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}
MODULES = {"fts5", "fts4", "rtree", "json_each", "json_tree"}
NEAR = re.compile(r'near "(.*)": syntax error\Z', re.S)
UNRECOGNIZED = re.compile(r'unrecognized token: "(.*)"\Z', re.S)
NAMED = re.compile(r"(?:no such (?:column|table|function|view|index|collation sequence)|ambiguous column name|has no column named|"
                   r"wrong number of arguments to function|misuse of (?:aggregate|window function)):? (?:function )?\"?(?:\w+\.)?([\w]+)", re.U)
# 3.40's own sentences for statements that can't be read.
SYNTAX = re.compile(r'syntax error\Z|\Aincomplete input|\Aunrecognized token|\Ano tables specified|\AORDER BY clause should come|\ALIMIT clause should come', re.S)


class Engine:
    version = "SQLite " + sqlite3.sqlite_version

    def __init__(self, job, out):
        self.job, self.out, self.made, self.path = job, out, {}, None
        os.makedirs(FOLDER, exist_ok=True)

    def prepare(self, data):
        if data not in self.made:
            path = os.path.join(FOLDER, "data%d" % len(self.made))
            self.script(path, self.job["data"][data])
            self.made[data] = path
        self.path = os.path.join(FOLDER, "run")
        shutil.copyfile(self.made[data], self.path)

    def before(self, text):
        if text:
            self.script(self.path, [text])

    def script(self, path, texts):
        conn = connect(path)
        try:
            for text in texts:
                conn.executescript(text)
            if conn.in_transaction:
                conn.execute("COMMIT")
        except (sqlite3.Error, sqlite3.Warning, ValueError) as e:
            raise Failed(str(e)) from None
        finally:
            conn.close()

    def session(self, writes):
        return Session(self.path, self.out, writes)

    def look(self, run, got, out):
        """Runs the task's own statements on what the learner left behind, in
        a session of their own: nothing temporary of the learner's is there."""
        session = Session(self.path, out, True)
        try:
            checks(session, run, got)
            if run.get("tables"):
                names = run["tables"]
                if names == ["*"]:
                    names = [r[0] for r in session.conn.execute(
                        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")]
                got["tables"] = {}
                for name in names:
                    try:
                        got["tables"][name.lower()] = session.execute('SELECT * FROM "%s"' % name.replace('"', '""')).data()
                    except Failed:
                        got["tables"][name.lower()] = None
        finally:
            session.close()

    def stop(self):
        pass


def connect(path):
    conn = sqlite3.connect(path, isolation_level=None, cached_statements=0)
    conn.text_factory = lambda b: b.decode("utf-8", "replace")
    for pragma in ("synchronous=OFF", "journal_mode=MEMORY", "temp_store=MEMORY", "trusted_schema=OFF"):
        conn.execute("PRAGMA " + pragma)
    if hasattr(conn, "setlimit"):
        conn.setlimit(0, 8 << 20)  # bytes of a value
        conn.setlimit(7, 0)  # attached databases
    return conn


class Session:
    def __init__(self, path, out, writes):
        self.out, self.writes, self.denied = out, writes, ""
        self.conn = connect(path)
        self.conn.execute("PRAGMA foreign_keys=ON")
        self.conn.set_authorizer(self.allow)

    def allow(self, action, first, second, database, trigger):
        if action in NEVER:
            ok = False
        elif action == PRAGMA:
            ok = (first or "").lower() in PRAGMAS
        elif action == FUNCTION:
            ok = (second or "").lower() not in FUNCTIONS
        elif action in (CREATE_VTABLE, VTABLE):
            ok = self.writes and (second or "").lower() in MODULES
        else:
            ok = self.writes or action in READS
        if not ok and not self.denied:
            self.denied = NAMES.get(action, "")
            if action == PRAGMA:
                self.denied += " " + (first or "")
            elif action == FUNCTION:
                self.denied = second or ""
        return sqlite3.SQLITE_OK if ok else sqlite3.SQLITE_DENY

    def execute(self, text):
        self.denied = ""
        try:
            cursor = self.conn.execute(text)
            if cursor.description is None:
                return None
            table = Table(self.out, [d[0] for d in cursor.description])
            for row in cursor:
                table.add(row)
            return table
        except (TooMuch, MemoryError):
            raise
        except Exception as e:  # whatever a statement brings about is about the statement
            message, denied = str(e), self.denied
        raise Failed(message, None if denied else self.place(text, message), denied, bool(SYNTAX.search(message)))

    def place(self, text, message):
        """Where in the statement, in characters. SQLite names only the token."""
        if message == "incomplete input":
            return len(text)
        named = NAMED.search(message)
        if named:
            m = re.search(r"(?<![\w'])%s(?!\w)" % re.escape(named.group(1)), text, re.I)
            return m.start() if m else None
        m = NEAR.search(message) or UNRECOGNIZED.search(message)
        if not m:
            return None
        # A statement that is cut behind the culprit is refused the same way,
        # one that is cut behind an innocent namesake is not.
        token, start = m.group(1), -1
        for _ in range(50):
            start = text.find(token, start + 1)
            if start < 0:
                return None
            try:
                self.conn.execute("EXPLAIN " + text[:start + len(token)])
            except (sqlite3.Error, sqlite3.Warning, ValueError) as e:
                if str(e) == message:
                    return start
        return None

    def close(self):
        """True when the learner left a transaction open; it is undone."""
        left = self.conn.in_transaction
        self.conn.close()
        return left
