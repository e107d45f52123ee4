"""Runs the tests, and connects the stand-ins in their room with the programs in
the submission's. What a program answers reaches the tests as bytes of a pipe that
they asked for, and never the stream in which they report."""
import json
import os
import queue
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from frames import Frames, channel

SOCKET = HERE + "/socket"


class Peer:
    """One running stand-in. Its frames wait here, so that a slow reader of one
    program's output holds up no other's."""

    def __init__(self, sock):
        self.frames, self.waiting = Frames(sock), queue.SimpleQueue()
        threading.Thread(target=self.pump, daemon=True).start()

    def pump(self):
        while True:
            kind, number, data = self.waiting.get()
            try:
                self.frames.send(kind, number, data)
            except OSError:
                return


def main():
    with open(HERE + "/job.json", encoding="utf-8") as f:
        job = json.load(f)
    far, peers, lock = channel(), {}, threading.Lock()

    def from_far():
        while True:
            frame = far.read()
            if frame is None:
                break
            with lock:
                peer = peers.get(frame[1])
            if peer:
                peer.waiting.put(frame)
        with lock:
            gone = list(peers.items())
        for number, peer in gone:
            peer.waiting.put(("E", number, b"the program's room is gone\n"))
            peer.waiting.put(("X", number, b"137"))

    def from_peer(number, peer):
        while True:
            frame = peer.frames.read()
            if frame is None:
                break
            kind, _, data = frame
            if kind == "L":  # what a program printed where results belong
                os.write(2, data)
            elif kind in "RIiGF":
                if kind == "R":
                    os.close(os.open(HERE + "/ran", os.O_WRONLY | os.O_CREAT, 0o600))
                try:
                    far.send(kind, number, data)
                except OSError:
                    peer.waiting.put(("E", number, b"the program's room is gone\n"))
                    peer.waiting.put(("X", number, b"137"))
        try:
            far.send("K", number)
        except OSError:
            pass
        with lock:
            peers.pop(number, None)

    def accept(listener):
        number = 0
        while True:
            sock, _ = listener.accept()
            number += 1
            peer = Peer(sock)
            with lock:
                peers[number] = peer
            threading.Thread(target=from_peer, args=(number, peer), daemon=True).start()

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET)
    listener.listen(64)
    for target, args in ((from_far, ()), (accept, (listener,))):
        threading.Thread(target=target, args=args, daemon=True).start()
    out = os.fstat(1)
    env = dict(os.environ, PATH=HERE + "/bin:" + os.environ["PATH"], TRACKER_RESULTS="%d:%d" % (out.st_dev, out.st_ino))
    try:
        code = subprocess.run(job["test"], env=env, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as e:
        os.write(2, ("the tests can't be started: %s\n" % e).encode())
        code = 127
    sys.stdout.flush()
    os._exit(code if 0 <= code <= 255 else 128 - code if code < 0 else 1)


main()
