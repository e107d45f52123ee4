"""Runs the learner's programs when the tests ask for it. It knows how to run
them and nothing of what is expected."""
import json
import os
import queue
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from frames import channel

LIMIT = 1 << 20  # of what one run may print
WORK = "/room"


class Run:
    def __init__(self, far, number, argv):
        self.far, self.number, self.left = far, number, LIMIT
        self.lock = threading.Lock()
        self.input = queue.SimpleQueue()
        self.process = subprocess.Popen(argv, cwd=WORK, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        start_new_session=True)
        self.pumps = [threading.Thread(target=self.pump, args=a, daemon=True)
                      for a in ((self.process.stdout, "O"), (self.process.stderr, "E"))]
        for t in self.pumps:
            t.start()
        for target in (self.feed, self.finish):
            threading.Thread(target=target, daemon=True).start()

    def feed(self):
        pipe = self.process.stdin
        try:
            while True:
                data = self.input.get()
                if data is None:
                    break
                pipe.write(data)
                pipe.flush()
        except OSError:
            pass
        try:
            pipe.close()
        except OSError:
            pass

    def pump(self, pipe, kind):
        while True:
            data = os.read(pipe.fileno(), 1 << 16)
            if not data:
                return
            with self.lock:
                self.left -= len(data)
                over = self.left < 0
            if over:
                self.far.send("E", self.number, b"the program printed more than 1 MiB and was stopped\n")
                self.kill()
                return
            self.far.send(kind, self.number, data)

    def finish(self):
        code = self.process.wait()
        for t in self.pumps:
            t.join(1)  # a background process may keep the pipe
        self.far.send("X", self.number, b"%d" % (code if code >= 0 else 128 - code))

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except OSError:
            pass


def inside(name):
    """A path below the working folder, or None."""
    path = os.path.normpath(os.path.join(WORK, name))
    return path if path.startswith(WORK + "/") and not path.startswith(HERE) else None


def give(data):
    size = int.from_bytes(data[:4], "big")
    path = inside(data[4:4 + size].decode("utf-8", "surrogateescape"))
    if path is None:
        return "only files below the working folder can be given"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data[4 + size:])
    except OSError as e:
        return str(e)
    return ""


def main():
    with open(HERE + "/job.json", encoding="utf-8") as f:
        job = json.load(f)
    far, runs = channel(), {}

    def start(number, data):
        order = json.loads(data)
        name = order["file"] or job["entry"]
        argv = [word.replace("{entry}", name if not name.startswith("-") else "./" + name) for word in job["run"]]
        try:
            runs[number] = Run(far, number, argv + order["args"])
        except (OSError, ValueError) as e:
            done(number, "the program can't be started: %s" % e)

    def done(number, error):
        if error:
            far.send("E", number, error.encode("utf-8", "replace") + b"\n")
        far.send("X", number, b"126" if error else b"0")

    def fetch(number, name):
        path = inside(name)
        try:
            fd = os.open(path or "", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(fd, "rb") as f:
                far.send("O", number, f.read(LIMIT))
        except OSError as e:
            return str(e)
        return ""

    while True:
        frame = far.read()
        if frame is None:
            return
        kind, number, data = frame
        run = runs.get(number)
        if kind == "R":
            start(number, data)
        elif kind == "I" and run:
            run.input.put(data)
        elif kind == "i" and run:
            run.input.put(None)
        elif kind == "K" and run:
            run.input.put(None)
            runs.pop(number).kill()
        elif kind == "G":
            done(number, give(data))
        elif kind == "F":
            done(number, fetch(number, data.decode("utf-8", "surrogateescape")))


main()
