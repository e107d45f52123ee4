//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// promptly is how long after its limit a step may take to be gone: far less than
// its program asks for. How much less is measured in deadline_test.go, as a busy
// machine would turn this red for nothing.
const promptly = 10 * time.Second

func TestTimeLimitsEndEveryKindOfWaiting(t *testing.T) {
	for name, script := range map[string]string{
		"sleep":           `import time; time.sleep(60)`,
		"ignored signals": "import signal, time\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n  except (OSError, ValueError): pass\ntime.sleep(60)",
		"stopping itself": `import os, signal; os.kill(os.getpid(), signal.SIGSTOP)`,
		"a spin":          `while True: pass`,
		"daemons":         "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    while True: pass\n  os._exit(0)\ntime.sleep(60)",
	} {
		t.Run(name, func(t *testing.T) {
			variants(t, func(t *testing.T, r *subject) {
				s := python(script)
				s.Limits.Wall = 300 * time.Millisecond
				res := mustRun(t, r, s)
				if res.Outcome != TimedOut {
					t.Errorf("%s: %s", res.Outcome, res.Processes[0].Stderr)
				}
				if res.Run > s.Limits.Wall+promptly {
					t.Errorf("took %s", res.Run)
				}
			})
		})
	}
}

func TestCPULimitsCountAllProcessesTogether(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		s := python("import os\nfor _ in range(3): os.fork()\nwhile True: pass")
		s.Limits.CPU, s.Limits.Wall = 400*time.Millisecond, 20*time.Second
		res := mustRun(t, r, s)
		if res.Outcome != TimedOut || res.Processes[0].CPU < s.Limits.CPU || res.Run > 15*time.Second {
			t.Errorf("%s after %s with %s of CPU", res.Outcome, res.Run, res.Processes[0].CPU)
		}
	})
}

func TestBombsOfProcessesAndThreadsAreContained(t *testing.T) {
	for name, script := range map[string]string{
		"exponential": "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
		"linear":      "import os, time\nn = 0\nwhile True:\n  try:\n    if os.fork() == 0: time.sleep(60)\n    n += 1\n  except BlockingIOError:\n    print(n < 20, flush=True); time.sleep(60)",
		"threads":     "import threading, time\nn = 0\nwhile True:\n  try: threading.Thread(target=time.sleep, args=(60,)).start(); n += 1\n  except RuntimeError:\n    print(n < 20, flush=True); time.sleep(60)",
	} {
		t.Run(name, func(t *testing.T) {
			variants(t, func(t *testing.T, r *subject) {
				s := python(script)
				s.Limits.Wall, s.Limits.Processes = 2*time.Second, 20
				res := mustRun(t, r, s)
				if res.Outcome != TimedOut || res.Run > s.Limits.Wall+promptly {
					t.Errorf("%s after %s", res.Outcome, res.Run)
				}
				if out := strings.TrimSpace(string(res.Processes[0].Stdout)); out == "False" || (out == "" && name != "exponential") {
					t.Errorf("printed %q; %s", out, res.Processes[0].Stderr)
				}
			})
		})
	}
}

func TestMemoryBombsEndAsOutOfMemory(t *testing.T) {
	for name, script := range map[string]string{
		"one process":    "a = []\nwhile True:\n  try: a.append(bytearray(b'x' * 1000000))\n  except MemoryError: pass",
		"many processes": "import os, time\nfor _ in range(4): os.fork()\na = bytearray(b'x' * 7000000)\ntime.sleep(60)",
		"shared memory":  "import mmap, time\nm = mmap.mmap(-1, 200_000_000)\nfor i in range(0, 200_000_000, 4096): m[i] = 1\ntime.sleep(60)",
	} {
		t.Run(name, func(t *testing.T) {
			variants(t, func(t *testing.T, r *subject) {
				s := python(script)
				s.Limits.Memory, s.Limits.Wall = 64<<20, 20*time.Second
				res := mustRun(t, r, s)
				if res.Outcome != OutOfMemory {
					t.Errorf("%s, code %d, peak %d: %s", res.Outcome, res.Processes[0].ExitCode, res.Processes[0].MaxRSS, res.Processes[0].Stderr)
				}
			})
		})
	}
}

func TestUncountedMemoryIsDeniedWithoutACgroup(t *testing.T) {
	r := newRunner(t, Config{NoCgroup: true})
	expect(t, r, python(`import os, errno
try: os.memfd_create("x")
except OSError as e: print(errno.errorcode[e.errno])`), Exited, 0, "EPERM")
}

func TestFloodsOfOutputAreCut(t *testing.T) {
	for name, script := range map[string]string{"stdout": "yes", "stderr": "yes >&2", "both": "yes & yes >&2", "ignoring the pipe": "trap '' PIPE TERM; while :; do echo xxxxxxxxxxxxxxxxxxxxx; done"} {
		t.Run(name, func(t *testing.T) {
			variants(t, func(t *testing.T, r *subject) {
				s := shell(script)
				s.Limits.Output, s.Limits.Wall = 100_000, 20*time.Second
				res := mustRun(t, r, s)
				p := res.Processes[0]
				if res.Outcome != OutputLimit || !p.Truncated || len(p.Stdout)+len(p.Stderr) != 100_000 {
					t.Errorf("%s with %d and %d bytes", res.Outcome, len(p.Stdout), len(p.Stderr))
				}
			})
		})
	}
}

func TestDiskAndInodesAndFileSizesAreLimited(t *testing.T) {
	const program = `import os, errno, resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def fill(path, block):
    n = 0
    try:
        with open(path, "wb", buffering=0) as f:
            while True: n += f.write(block)
    except OSError as e: return errno.errorcode[e.errno], n
print(*fill("/room/big", b"x" * 65536))
seen = []
for d in ("/room", "/tmp", "/dev/shm"):
    for i in range(20):
        code, n = fill(f"{d}/f{i}", b"x" * 65536)
        seen.append(code)
print(seen[-1], sum(os.stat(f"{d}/{f}").st_size for d in ("/room", "/tmp", "/dev/shm") for f in os.listdir(d)) <= 4 << 20)
for d in ("/room", "/tmp", "/dev/shm"):
    for f in os.listdir(d): os.unlink(f"{d}/{f}")
n = 0
try:
    while True: open(f"/tmp/{n}", "w").close(); n += 1
except OSError as e: print(errno.errorcode[e.errno], n < 100)`
	variants(t, func(t *testing.T, r *subject) {
		s := python(program)
		s.Limits.FileSize, s.Limits.Disk, s.Limits.Inodes = 1<<20, 4<<20, 100
		expect(t, r, s, Exited, 0, "EFBIG 1048576\nENOSPC True\nENOSPC True")
	})
}

func TestTheHostsFilesAreNotThere(t *testing.T) {
	marker := filepath.Join(os.TempDir(), fmt.Sprintf("sandbox-marker-%d", os.Getpid()))
	if err := os.WriteFile(marker, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(marker) })
	program := fmt.Sprintf(`import os
for p in ("/etc/shadow", "/root", "/home", "/var", "/sys", "/run", "/mnt", "/proc/sys", "/proc/kcore", "/proc/1/root", "/proc/1/environ", "/proc/1/mem", "/.scratch", %q):
    try: os.stat(p); os.listdir(p) if os.path.isdir(p) else open(p).read(); print("open", p)
    except OSError: pass
print(sorted(os.listdir("/")) == sorted(x for x in os.listdir("/") if x in ("bin","sbin","lib","lib32","lib64","libx32","usr","dev","etc","proc","tmp","room","warm")), os.listdir("/tmp"), sorted(os.listdir("/dev")))
print(open("/proc/self/mountinfo").read().count(" ext4 ") >= 0, os.getcwd())
for fd in os.listdir("/proc/self/fd"):
    try: print("fd", fd) if int(fd) > 2 and "/proc/" not in os.readlink("/proc/self/fd/" + fd) else None
    except FileNotFoundError: pass`, marker)
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(program), Exited, 0, "True [] ['fd', 'full', 'null', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'urandom', 'zero']\nTrue /room")
	})
}

func TestNothingOutsideTheRoomCanBeWritten(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(`import os
for p in ("/x", "/usr/x", "/usr/bin/x", "/etc/x", "/etc/passwd", "/dev/x", "/proc/x", "/lib/x"):
    try: open(p, "w"); print("wrote", p)
    except OSError: pass
for f in (lambda: os.chmod("/usr/bin/env", 0o777), lambda: os.unlink("/etc/passwd"), lambda: os.mkdir("/y"), lambda: os.mknod("/tmp/n", 0o20666, os.makedev(1, 3)), lambda: os.chmod("/dev/null", 0)):
    try: f(); print("did", f)
    except OSError: pass
open("/dev/null", "w").write("x"); print(len(os.urandom(3)), open("/dev/zero", "rb").read(2))`), Exited, 0, `3 b'\x00\x00'`)
	})
}

func TestARuntimeThatAnybodyMayWriteIsStillReadOnly(t *testing.T) {
	dir, err := os.MkdirTemp("", "runtime-") //nolint:usetesting // another user must reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "lib.py"), []byte("original"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"": 0o777, "lib.py": 0o666} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	configs := []Config{{}, {NoCgroup: true}}
	if os.Geteuid() == 0 {
		configs = append(configs, Config{NoUserNamespace: true})
	}
	for _, cfg := range configs {
		cfg.RuntimeRoots = append(DefaultRuntimeRoots(), dir)
		s := shell("echo changed > /opt/rt/lib.py; echo new > /opt/rt/new; rm -f /opt/rt/lib.py; chmod 600 /opt/rt/lib.py; cat /opt/rt/lib.py")
		s.Runtimes = append(s.Runtimes, Mount{Source: dir, Target: "/opt/rt"})
		expect(t, newRunner(t, cfg), s, Exited, 0, "original")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestThereIsNoNetworkOfAnyFamily(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	// Datagrams to a loopback always leave; this one must not get any.
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	program := fmt.Sprintf(`import socket
STREAM, DGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
for fam, addr, kinds in ((socket.AF_INET, ("127.0.0.1", %d), (STREAM,)), (socket.AF_INET6, ("::1", 80), (STREAM,)), (socket.AF_INET, ("192.0.2.1", 53), (STREAM, DGRAM)),
        (socket.AF_INET6, ("2001:db8::1", 53), (STREAM, DGRAM)), (socket.AF_UNIX, "/run/x", (STREAM, DGRAM)), (socket.AF_UNIX, "\0/tmp/.X11-unix/X0", (STREAM, DGRAM))):
    for kind in kinds:
        try: socket.socket(fam, kind).connect(addr); print("connected", addr)
        except OSError: pass
try: socket.socket(socket.AF_INET, DGRAM).sendto(b"out", ("127.0.0.1", %d))
except OSError: pass
allowed = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6}
for fam in range(0, 64):
    for kind in (1, 2, 3, 5):
        try: s = socket.socket(fam, kind)
        except OSError: continue
        if fam not in allowed or kind == 3 and fam != socket.AF_UNIX: print("family", fam, kind)
# No interface is up but the room's own loopback, so no way to anywhere (SIOCGIFNAME, SIOCGIFFLAGS).
import fcntl, struct
probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for index in range(1, 64):
    try: name = fcntl.ioctl(probe, 0x8910, struct.pack("16si", b"", index) + bytes(20))[:16]
    except OSError: continue
    flags = struct.unpack("16sH", fcntl.ioctl(probe, 0x8913, name + bytes(24))[:18])[1]
    if flags & 1 and not flags & 8: print("interface is up", name)
a, b = socket.socketpair(); a.send(b"x"); print(b.recv(1))`, l.Addr().(*net.TCPAddr).Port, u.LocalAddr().(*net.UDPAddr).Port)
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(program), Exited, 0, "b'x'")
		// What the room had sent would come before what is sent after it.
		if _, err := u.WriteTo([]byte("host"), u.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 8)
		if n, _, err := u.ReadFrom(got); err != nil || string(got[:n]) != "host" {
			t.Errorf("%q came out of the room, %v", got[:n], err)
		}
	})
}

func TestAProgramReachesItselfByItsOwnLoopback(t *testing.T) {
	const program = `import socket, threading
for fam, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "localhost")):
    server = socket.create_server((host, 0), family=fam)
    threading.Thread(target=lambda: server.accept()[0].sendall(b"hello")).start()
    print(host, socket.create_connection(server.getsockname()).recv(5).decode(), end=" ")`
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(program), Exited, 0, "127.0.0.1 hello localhost hello")
	})
}

func TestTheFirstProcessCannotBeDisturbed(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(`import os, signal, resource
for s in range(1, 65):
    try: os.kill(1, s)
    except OSError: pass
try: os.kill(-1, signal.SIGTERM)
except OSError: pass
for n in ("environ", "mem", "maps", "fd", "cwd", "root", "exe", "auxv", "stack", "syscall"):
    try: os.listdir("/proc/1/" + n) if n == "fd" else os.readlink("/proc/1/" + n) if n in ("cwd", "root", "exe") else open("/proc/1/" + n, "rb").read(1); print("read", n)
    except OSError: pass
for f in (lambda: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0)), lambda: open("/proc/1/oom_score_adj", "w").write("1000")):
    try: f(); print("changed")
    except OSError: pass
print("alive")`), Exited, 0, "alive")
	})
}

func TestPowersCannotBeRegained(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(`import os, resource, ctypes
libc = ctypes.CDLL(None, use_errno=True)
for name, f in dict(setuid=lambda: os.setuid(0), setgid=lambda: os.setgid(0), setgroups=lambda: os.setgroups([0]), chroot=lambda: os.chroot("/tmp"), nice=lambda: os.setpriority(os.PRIO_PROCESS, 0, -5),
    nproc=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (9999, 9999)), core=lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 1)), hostname=lambda: __import__("socket").sethostname("x")).items():
    try: f(); print("did", name)
    except (OSError, ValueError): pass
status = dict(l.split(":", 1) for l in open("/proc/self/status"))
print(status["CapEff"].strip(), status["CapBnd"].strip(), status["CapAmb"].strip(), status["NoNewPrivs"].strip(), status["Seccomp"].strip())`),
			Exited, 0, "0000000000000000 0000000000000000 0000000000000000 1 2")
	})
}

func TestDangerousSystemCallsAreRefused(t *testing.T) {
	calls := map[string][]uint64{
		"mount": {unix.SYS_MOUNT}, "umount2": {unix.SYS_UMOUNT2}, "pivot_root": {unix.SYS_PIVOT_ROOT}, "chroot": {unix.SYS_CHROOT},
		"open_tree": {unix.SYS_OPEN_TREE}, "move_mount": {unix.SYS_MOVE_MOUNT}, "fsopen": {unix.SYS_FSOPEN}, "mount_setattr": {unix.SYS_MOUNT_SETATTR},
		"unshare user": {unix.SYS_UNSHARE, unix.CLONE_NEWUSER}, "setns": {unix.SYS_SETNS}, "clone user": {unix.SYS_CLONE, unix.CLONE_NEWUSER | uint64(unix.SIGCHLD)},
		"ptrace": {unix.SYS_PTRACE}, "process_vm_readv": {unix.SYS_PROCESS_VM_READV, 1}, "process_vm_writev": {unix.SYS_PROCESS_VM_WRITEV, 1},
		"pidfd_getfd": {unix.SYS_PIDFD_GETFD}, "kcmp": {unix.SYS_KCMP}, "bpf": {unix.SYS_BPF}, "perf_event_open": {unix.SYS_PERF_EVENT_OPEN},
		"userfaultfd": {unix.SYS_USERFAULTFD}, "io_uring_setup": {unix.SYS_IO_URING_SETUP, 1}, "add_key": {unix.SYS_ADD_KEY}, "keyctl": {unix.SYS_KEYCTL},
		"request_key": {unix.SYS_REQUEST_KEY}, "init_module": {unix.SYS_INIT_MODULE}, "finit_module": {unix.SYS_FINIT_MODULE}, "kexec_load": {unix.SYS_KEXEC_LOAD},
		"settimeofday": {unix.SYS_SETTIMEOFDAY}, "clock_settime": {unix.SYS_CLOCK_SETTIME}, "adjtimex": {unix.SYS_ADJTIMEX}, "reboot": {unix.SYS_REBOOT},
		"swapon": {unix.SYS_SWAPON}, "open_by_handle_at": {unix.SYS_OPEN_BY_HANDLE_AT}, "fanotify_init": {unix.SYS_FANOTIFY_INIT}, "syslog": {unix.SYS_SYSLOG},
		"personality": {unix.SYS_PERSONALITY, 0x0400000}, "msgget": {unix.SYS_MSGGET}, "memfd_secret": {unix.SYS_MEMFD_SECRET},
	}
	var list strings.Builder
	for name, c := range calls {
		arg := uint64(0)
		if len(c) > 1 {
			arg = c[1]
		}
		fmt.Fprintf(&list, "(%q,%d,%d),", name, c[0], arg)
	}
	//nolint:dupword // arguments
	program := fmt.Sprintf(`import ctypes
libc = ctypes.CDLL(None, use_errno=True)
L = ctypes.c_long
for name, nr, arg in [%s]:
    ctypes.set_errno(0)
    got = libc.syscall(L(nr), L(arg), L(0), L(0), L(0), L(0), L(0))
    if got != -1 or ctypes.get_errno() != 1: print(name, got, ctypes.get_errno())
ctypes.set_errno(0)
print(libc.syscall(L(%d), L(0), L(0)), ctypes.get_errno())`, list.String(), unix.SYS_CLONE3)
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(program), Exited, 0, "-1 38")
	})
}

func TestProcessesOfTheHostAreOutOfReach(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(fmt.Sprintf(`import os
try: os.kill(%d, 0); print("reached")
except ProcessLookupError: print("not there")`, max(os.Getpid(), 1000))), Exited, 0, "not there")
	})
}

func TestAHungWriterOfInputDoesNotHoldTheStep(t *testing.T) {
	s := shell("exit 0")
	s.Processes[0].Stdin = make([]byte, 10<<20)
	begun := time.Now()
	expect(t, newRunner(t, Config{}), s, Exited, 0, "")
	if time.Since(begun) > 30*time.Second {
		t.Errorf("took %s", time.Since(begun))
	}
}

func TestProbeFindsEveryLayerHeld(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for name, cfg := range map[string]Config{"default": {}, "watchdog": {NoCgroup: true}} {
		report := Probe(ctx, cfg)
		if !report.OK() {
			t.Errorf("%s:\n%s", name, report)
		}
		for _, l := range report.Layers {
			if l.State != Held && (l.Name != "cgroup" || (name == "default" && os.Geteuid() == 0)) {
				t.Errorf("%s: %s is %s: %s", name, l.Name, l.State, l.Why)
			}
		}
		t.Logf("%s:\n%s", name, report)
	}
}
