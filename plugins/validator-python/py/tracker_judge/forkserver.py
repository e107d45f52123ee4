"""The host's warm-up protocols, warm/1 and fork-server/1, for any Python program.

    load_everything()
    line = forkserver.ready()
    if not line:
        os._exit(0)
    become(json.loads(line))  # {"argv": [...], "env": {...}, "dir": "..."}

ready() says that this process is ready and returns the line of its job. Started
as a fork-server it returns in children only, once for each job: such a child is
in a room of its own and as confined as a program that was executed there. The
host's sandbox-init, its parent, compares that with what the kernel says of it
before it gets a job; what this file does wrong makes it useless, not dangerous.

The program must have one thread and no open files when it calls ready().

A child's memory is its server's until it writes to it, and a page that is copied
then costs more than most of what a short job does. So ready() can be given
scenes, tuples of functions that together do what jobs will do: what two of those
have written to, in children of their own, is what each child has copied before
its job comes.
"""
import base64
import collections
import ctypes
import fcntl
import gc
import json
import os
import resource
import signal
import socket
import struct

FD = "TRACKER_FORK_SERVER_FD"

# Frames of the host's control socket: a length of four bytes and a kind.
_BORN, _ADMIT = struct.pack("<IB", 0, 8), struct.pack("<IB", 0, 7)

_CLONE_NEWNS, _CLONE_NEWCGROUP, _CLONE_NEWUTS, _CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
_CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
_NAMESPACES = _CLONE_NEWNS | _CLONE_NEWCGROUP | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWUSER | _CLONE_NEWPID | _CLONE_NEWNET
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}
_SYS_CLOSE_RANGE = 436
_MADV_POPULATE_READ, _MADV_POPULATE_WRITE = 22, 23
_PAGE = resource.getpagesize()
_OWN = 1 << 63 | 1 << 56  # of a page: it is there, and nobody else has it
_NEAR = 1  # pages between two that are copied with them
_PATIENCE = 5  # seconds for a scene

_PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 22, 24, 38, 47
_CAP_AMBIENT_RAISE, _CAP_AMBIENT_CLEAR_ALL = 2, 4
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522

# The lock of the interpreter stays held across clone, as nobody else has it.
_libc = ctypes.PyDLL(None, use_errno=True)


class _Capabilities(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]


def ready(scenes=lambda: ()):
    """Returns the line of this process's job, b"" when there will be none."""
    server = os.environ.pop(FD, None)
    if server is None:
        os.write(1, b"ready\n")
    else:
        _serve(socket.socket(fileno=int(server)), scenes)
    return _line()


def _maps():
    """The parts of this process's memory: start, end and mode."""
    with open("/proc/self/maps") as f:
        for line in f.read().splitlines():
            span, mode = line.split(" ", 2)[:2]
            start, end = (int(n, 16) for n in span.split("-"))
            if end < 1 << 63:
                yield start, end, mode


def _rehearse(scenes):
    """Where jobs write to, as far as scenes show it: starts and lengths. None
    where the kernel doesn't tell."""
    memory = [(start, end) for start, end, mode in _maps() if mode == "rw-p"]
    pages = collections.Counter()
    for scene in scenes:
        reports = []
        for act in scene:
            report, out = os.pipe()
            if os.fork() == 0:
                _play(act, memory, out)
            os.close(out)
            reports.append(report)
        for report in reports:
            said = b""
            while piece := os.read(report, 1 << 16):
                said += piece
            os.close(report)
            os.wait()
            pages.update(struct.unpack("<%dQ" % (len(said) // 8), said[:len(said) // 8 * 8]))
    spans = []
    for page in sorted(p for p, writers in pages.items() if writers > 1):
        if spans and page - spans[-1][1] <= _NEAR:
            spans[-1][1] = page + 1
        else:
            spans.append([page, page + 1])
    return [(start * _PAGE, (end - start) * _PAGE) for start, end in spans] or None


def _play(act, memory, out):
    """Does what a job does, and says which pages of memory it has made its own."""
    leave = os._exit

    def end(code):
        try:
            with open("/proc/self/pagemap", "rb", buffering=0) as f:
                for start, stop in memory:
                    f.seek(start // _PAGE * 8)
                    count = (stop - start) // _PAGE
                    flags = struct.unpack("<%dQ" % count, f.read(count * 8))
                    os.write(out, b"".join(struct.pack("<Q", start // _PAGE + i) for i, flag in enumerate(flags) if flag & _OWN == _OWN))
        finally:
            leave(code)

    try:
        _libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
        signal.alarm(_PATIENCE)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os._exit = end
        act()
    finally:
        end(0)


def _own_memory(spans):
    """Has what a job writes to, spans or all memory, copied and mapped while there
    is no job yet: page by page during it, that takes a third of a short run."""
    # Not known before Linux 5.14; then it is only slower.
    advise = _libc.madvise
    if spans:
        for start, length in spans:
            advise(ctypes.c_void_p(start), ctypes.c_size_t(length), _MADV_POPULATE_WRITE)
    for start, end, mode in _maps():
        advice = {"rw-p": None if spans else _MADV_POPULATE_WRITE, "r-xp": _MADV_POPULATE_READ, "r--p": _MADV_POPULATE_READ}.get(mode)
        if advice:
            advise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice)


def leave(code):
    """Ends the process as its end would, but for taking apart what was loaded,
    which lasts longer than most runs."""
    import atexit
    import sys
    import threading

    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in sys.stdout, sys.stderr:
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            code = code or 120
    os._exit(code)


def _line():
    """Reads no further than the line: the host writes what follows it only when
    the line was read."""
    read = b""
    while not read.endswith(b"\n"):
        piece = os.read(0, 1 << 16)
        if not piece:
            return b""
        read += piece
    return read


def _serve(host, scenes):
    """Forks a child for each request; returns in children only."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0))
    gc.collect()
    gc.freeze()
    try:
        spans = _rehearse(scenes())
    except OSError:
        spans = None
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    gc.collect()
    gc.freeze()
    os.write(1, b"ready\n")
    while True:
        request, fds, _, _ = socket.recv_fds(host, 1 << 16, 16)
        if not request:
            os._exit(0)
        try:
            child = _clone() == 0
        except OSError:
            child = False  # the host sees its end of the room close
        if child:
            host.close()
            try:
                _child(json.loads(request), fds, spans)
                return
            except BaseException as e:
                os.write(2, ("fork: %s: %s\n" % (type(e).__name__, e)).encode())
                os._exit(70)
        for fd in fds:
            os.close(fd)


def _clone():
    """Forks into namespaces of its own, where the child is the first process."""
    number = _SYS_CLONE[os.uname().machine]
    return _check(_libc.syscall(ctypes.c_long(number), ctypes.c_long(_NAMESPACES | signal.SIGCHLD), *[ctypes.c_long(0)] * 4))


def _child(request, fds, spans):
    """Becomes the host's sandbox-init; returns in the child of that one."""
    # Numbers that nothing below needs.
    fds = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64) for fd in fds]
    stderr, control, out, err, stdin = fds[:5]
    channel = fds[5] if request["channel"] else None
    program = fds[-1]
    _check(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0))
    os.write(control, _BORN)
    if request["map"]:
        _map_to_itself(request["map"])
    admitted = b""
    while len(admitted) < len(_ADMIT):
        piece = os.read(control, len(_ADMIT) - len(admitted))
        if not piece:
            os._exit(71)
        admitted += piece
    if admitted != _ADMIT:
        os._exit(72)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Numbers, not objects that close what has their number when they go.
    ours, theirs = (s.detach() for s in socket.socketpair())
    if os.fork() == 0:
        link = fcntl.fcntl(theirs, fcntl.F_DUPFD_CLOEXEC, 64)
        try:
            _confine(request, link, stdin, out, err, channel, spans)
        except BaseException as e:
            _complain(link, e)
            os._exit(73)
        return
    null = os.open("/dev/null", os.O_RDWR)
    link = fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, 64)
    for fd, number in (null, 0), (null, 1), (stderr, 2), (control, 3), (link, 4):
        os.dup2(fd, number)
    program = fcntl.fcntl(program, fcntl.F_DUPFD, 64)
    os.dup2(program, 5, inheritable=False)
    _close_from(6)
    if request["ambient"]:
        _keep_over_exec(request["ambient"])
    os.execve(5, [request["argv0"]], dict(e.split("=", 1) for e in request["env"]))


def _complain(link, error):
    """Says to the host's log why this came to nothing."""
    for fd in link, 4, 3:  # where the link is, by how far it came
        try:
            os.write(fd, ("%s: %s" % (type(error).__name__, error)).encode()[:60])
            return
        except OSError:
            pass


def _map_to_itself(number):
    """One user, as a normal user may map no other."""
    for name, text in ("setgroups", "deny"), ("gid_map", "%d %d 1" % (number, number)), ("uid_map", "%d %d 1" % (number, number)):
        fd = os.open("/proc/self/" + name, os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)


def _confine(request, link, stdin, out, err, channel, spans):
    """Does to this process what sandbox-init does to those it executes."""
    os.setsid()
    os.chdir("/")  # the root moves along into the room, other folders do not
    for fd, number in (stdin, 0), (out, 1), (err, 2):
        os.dup2(fd, number)
    if channel is not None:
        os.dup2(channel, 3)
        link = os.dup2(link, 4, inheritable=False)
        _close_from(5)
    else:
        link = os.dup2(link, 3, inheritable=False)
        _close_from(4)
    if os.read(link, 1) != b"b":
        os._exit(74)
    if request["nice"]:
        os.setpriority(os.PRIO_PROCESS, 0, request["nice"])
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    if request["switch"]:
        os.setgroups([])
        os.setresgid(*[request["id"]] * 3)
        os.setresuid(*[request["id"]] * 3)
    _check(_libc.prctl(_PR_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
    _set_capabilities((_Capabilities * 2)())
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    # Its own /proc files belong to it only while it is dumpable.
    _check(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0))
    with open("/proc/self/oom_score_adj", "w") as f:
        f.write("1000")
    program = base64.b64decode(request["filter"])
    holder = ctypes.create_string_buffer(program, len(program))
    _check(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(_Filter(len(program) // 8, ctypes.addressof(holder))), 0, 0))
    _own_memory(spans)
    os.chdir("/warm")
    os.write(link, b"c")
    os.close(link)


def _header():
    return (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)


def _set_capabilities(sets):
    _check(_libc.capset(_header(), sets))


def _keep_over_exec(capabilities):
    sets = (_Capabilities * 2)()
    _check(_libc.capget(_header(), sets))
    for capability in capabilities:
        sets[capability // 32].inheritable |= 1 << capability % 32
    _set_capabilities(sets)
    for capability in capabilities:
        _check(_libc.prctl(_PR_CAP_AMBIENT, _CAP_AMBIENT_RAISE, capability, 0, 0))


def _close_from(fd):
    _check(_libc.syscall(ctypes.c_long(_SYS_CLOSE_RANGE), ctypes.c_long(fd), ctypes.c_long(0x7FFFFFFF), ctypes.c_long(0)))


def _check(result):
    if result == -1:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno))
    return result
