"""PostgreSQL: a server of this room's own, and a database for each test.

Nobody's statements run as its superuser but those that make roles and
databases. Data belong to the learner's role; queries run as a role that only
reads, and checks as one that inherits nothing the learner could have set.
"""
import ctypes
import os
import subprocess
import time

from engine import Failed, Table, TooLong, TooMuch, checks
from pgwire import Connection, Refused

BIN = os.environ["TRACKER_POSTGRES"]
HOME = "/tmp/pg"
DATA = HOME + "/data"
SOCKET = HOME + "/.s.PGSQL.5432"
# No fsync: nothing outlives the room. mmap: System V memory is denied here.
SETTINGS = {
    "listen_addresses": "", "unix_socket_directories": HOME, "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "shared_memory_type": "mmap", "dynamic_shared_memory_type": "mmap", "shared_buffers": "8MB", "max_connections": "10",
    "max_wal_senders": "0", "wal_level": "minimal", "max_worker_processes": "0", "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0", "autovacuum": "off", "jit": "off", "work_mem": "4MB", "maintenance_work_mem": "8MB",
    "min_wal_size": "2MB", "max_wal_size": "16MB", "temp_file_limit": "65536", "logging_collector": "off", "log_min_messages": "fatal",
    "timezone": "UTC", "datestyle": "ISO, MDY", "extra_float_digits": "1", "max_stack_depth": "2MB", "temp_buffers": "1MB",
}


def shared_memory():
    """The environment in which the server finds System V shared memory. Rooms
    deny it where no memory cgroup counts it."""
    libc = ctypes.CDLL(None, use_errno=True)
    made = libc.shmget(0, 64, 0o600)
    if made >= 0:
        libc.shmctl(made, 0, None)
        return os.environ
    shim, source = HOME + "/shm.so", os.path.join(os.path.dirname(os.path.abspath(__file__)), "shm.c")
    try:
        subprocess.run(["/usr/bin/gcc", "-shared", "-fPIC", "-nostdlib", "-o", shim, source], check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except (OSError, subprocess.CalledProcessError) as e:
        raise SystemExit("PostgreSQL needs System V shared memory, which this machine's rooms deny as it has no memory cgroup for them; "
                         "install gcc to stand in for it, or run the tracker as root: %s %s" % (e, getattr(e, "output", b"") or "")) from None
    return dict(os.environ, LD_PRELOAD=shim)


class Engine:
    def __init__(self, job, out):
        self.job, self.out, self.made, self.count = job, out, {}, 0
        self.timeout = str(job["timeout"])
        os.makedirs(HOME, 0o700, exist_ok=True)
        env = shared_memory()
        initdb = subprocess.run(
            [BIN + "/initdb", "-D", DATA, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
             "--no-instructions", "--wal-segsize=1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, env=env)
        if initdb.returncode:
            raise SystemExit("initdb: " + initdb.stdout.decode("utf-8", "replace"))
        with open(DATA + "/postgresql.conf", "a", encoding="utf-8") as f:
            for name, v in SETTINGS.items():
                f.write("%s = '%s'\n" % (name, v))
        with open(DATA + "/pg_hba.conf", "w", encoding="utf-8") as f:
            f.write("local all all trust\n")
        self.log = open(HOME + "/log", "w+b")
        self.server = subprocess.Popen([BIN + "/postgres", "-D", DATA], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env)
        self.admin = self.wait()
        with open(DATA + "/PG_VERSION", encoding="utf-8") as f:
            self.version = "PostgreSQL " + f.read().strip()
        for role in ("learner", "reader", "checker"):
            self.admin.query("CREATE ROLE %s LOGIN" % role)
        self.admin.query("GRANT pg_read_all_data TO reader")
        self.admin.query("GRANT pg_read_all_data, pg_write_all_data TO checker")

    def wait(self):
        while True:
            try:
                return Connection(SOCKET, "postgres", "postgres")
            except (OSError, Refused):
                if self.server.poll() is not None:
                    self.log.seek(0)
                    raise SystemExit("postgres: " + self.log.read().decode("utf-8", "replace")) from None
                time.sleep(0.01)

    def prepare(self, data):
        self.admin.query("ALTER ROLE learner RESET ALL")  # what an earlier script may have set
        if data not in self.made:
            name = "data%d" % len(self.made)
            self.create(name, "template1")
            self.run(name, self.job["data"][data])
            self.made[data] = name
        self.count += 1
        if self.count > 1:
            self.admin.query('DROP DATABASE IF EXISTS "run%d" WITH (FORCE)' % (self.count - 1))
        self.database = "run%d" % self.count
        self.create(self.database, self.made[data])

    def create(self, name, template):
        self.admin.query("CREATE DATABASE %s TEMPLATE %s OWNER learner STRATEGY wal_log" % (name, template))
        self.admin.query("REVOKE ALL ON DATABASE %s FROM PUBLIC" % name)
        self.admin.query("GRANT CONNECT ON DATABASE %s TO reader, checker" % name)
        if template == "template1":
            admin = Connection(SOCKET, "postgres", name)
            admin.query("ALTER SCHEMA public OWNER TO learner")
            admin.close()

    def before(self, text):
        if text:
            self.run(self.database, [text])

    def run(self, database, texts):
        conn = Connection(SOCKET, "learner", database)
        try:
            for text in texts:
                if text.strip():
                    conn.query(text)
        except Refused as e:
            raise Failed(e.message) from None
        finally:
            conn.close()

    def session(self, writes):
        if writes:
            return Session(Connection(SOCKET, "learner", self.database, statement_timeout=self.timeout), self.out)
        return Session(Connection(SOCKET, "reader", self.database, search_path="public", statement_timeout=self.timeout,
                                  default_transaction_read_only="on"), self.out)

    def look(self, run, got, out):
        """Runs the task's own statements on what the learner left behind."""
        session = Session(Connection(SOCKET, "checker", self.database, search_path="public", row_security="off"), out)
        try:
            checks(session, run, got)
            if run.get("tables"):
                names = run["tables"]
                if names == ["*"]:
                    listed = session.execute("SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p') "
                                             "AND c.relnamespace = 'public'::regnamespace ORDER BY 1")
                    names = [r[0] for r in listed.rows]
                got["tables"] = {}
                for name in names:
                    try:
                        got["tables"][name.lower()] = session.execute('SELECT * FROM public."%s"' % name.replace('"', '""')).data()
                    except Failed:
                        got["tables"][name.lower()] = None
        finally:
            session.close()

    def stop(self):
        self.server.kill()
        self.server.wait()


class Session:
    def __init__(self, conn, out):
        self.conn, self.out = conn, out

    def execute(self, text):
        try:
            return self.conn.query(text, lambda columns: Table(self.out, columns))
        except (TooMuch, MemoryError):
            raise
        except Refused as e:
            if e.code == "57014":
                raise TooLong() from None
            denied = e.message if e.code in ("42501", "25006") else ""
            raise Failed(e.message, None if e.position is None else e.position - 1, denied, e.code == "42601") from None
        except Exception as e:
            raise Failed(str(e)) from None

    def close(self):
        left = self.conn.status != b"I"
        self.conn.close()
        return left
