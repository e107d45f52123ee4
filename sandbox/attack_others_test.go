//go:build linux && (amd64 || arm64)

package sandbox

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAStoppedGroupIsEndedByTheClock(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		s := python(`import os, signal, time
for _ in range(4):
    if os.fork() == 0: break
os.killpg(0, signal.SIGSTOP)
time.sleep(60)`)
		s.Limits.Wall = 300 * time.Millisecond
		if res := mustRun(t, r, s); res.Outcome != TimedOut || res.Run > s.Limits.Wall+promptly {
			t.Errorf("%s after %s", res.Outcome, res.Run)
		}
	})
}

// Where a cgroup counts such memory it ends the room; elsewhere the calls are
// denied.
func TestMemoryThatBelongsToNoProcessIsCountedOrDenied(t *testing.T) {
	for name, script := range map[string]string{
		"memfd": `import os, time
held = []
try:
    while len(held) < 200:
        fd = os.memfd_create("x"); held.append(fd)
        os.write(fd, b"x" * 1_000_000)
except OSError as e: print("denied", e.errno)
else: print("took it all")`,
		"System V": `import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
for i in range(200):
    seg = libc.shmget(0, 1_000_000, 0o1600)
    if seg < 0:
        print("denied", ctypes.get_errno()); break
    at = libc.shmat(seg, None, 0)
    ctypes.memset(at, 1, 1_000_000)
    libc.shmdt(ctypes.c_void_p(at))
else: print("took it all")`,
	} {
		t.Run(name, func(t *testing.T) {
			variants(t, func(t *testing.T, r *subject) {
				s := python(script)
				s.Limits.Memory, s.Limits.Wall, s.Limits.FileSize = 64<<20, 20*time.Second, 16<<20
				res := mustRun(t, r, s)
				out := strings.TrimSpace(string(res.Processes[0].Stdout))
				switch {
				case r.cgroups == nil && out != "denied 1":
					t.Errorf("printed %q: %s", out, res.Processes[0].Stderr)
				case r.cgroups != nil && res.Outcome != OutOfMemory:
					t.Errorf("%s, printed %q: %s", res.Outcome, out, res.Processes[0].Stderr)
				}
			})
		})
	}
}

func TestTheParentsEnvironmentAndDescriptorsDoNotArrive(t *testing.T) {
	t.Setenv("SANDBOX_TEST_SECRET", "hunter2")
	// A descriptor that is not close-on-exec, as a careless library leaves it.
	leaky, err := os.CreateTemp(t.TempDir(), "leaky")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = leaky.Close() }()
	if _, err := unix.FcntlInt(leaky.Fd(), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
	const program = `import os, glob
for f in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/self/task/*/environ"):
    try: print("found in", f) if b"hunter2" in open(f, "rb").read() else None
    except OSError: pass
print(sorted(os.environ), [fd for fd in range(3, 256) if os.path.exists("/proc/self/fd/%d" % fd)])`
	want := "" // BaseEnv, and what Python sets itself
	for _, way := range []Way{Cold, Prepared, Warm, Forked} {
		for _, cfg := range []Config{{}, {NoCgroup: true}} {
			p := expect(t, newSubject(t, cfg, way), python(program), Exited, 0, "")
			got := strings.TrimSpace(string(p.Stdout))
			if want == "" {
				want = got
			}
			if got != want || !strings.HasSuffix(got, " []") || strings.Contains(got, "SANDBOX_TEST_SECRET") || strings.Contains(got, "found in") {
				t.Errorf("%s: saw %s, where cold saw %s", way, got, want)
			}
		}
	}
}

// neighbour holds a secret in a file, in memory, in a socket with an abstract
// name and in its arguments.
const neighbour = `import os, socket, time, sys
secret = "s3cr3t-of-" + "the-neighbour"
open("/room/secret", "w").write(secret); open("/tmp/secret", "w").write(secret); open("/dev/shm/secret", "w").write(secret)
s = socket.socket(socket.AF_UNIX); s.bind("\0neighbour"); s.listen()
f = socket.socket(socket.AF_UNIX); f.bind("/tmp/socket"); f.listen()
t = socket.create_server(("127.0.0.1", 4711))
print("up", flush=True)
time.sleep(4)
print(open("/room/secret").read() == secret, sorted(os.listdir("/room")), sorted(os.listdir("/tmp")))`

const burglar = `import os, socket, time, glob, signal
end = time.monotonic() + 2
while time.monotonic() < end:
    for name in ("\0neighbour", "/tmp/socket"):
        try: socket.socket(socket.AF_UNIX).connect(name); print("connected", repr(name))
        except OSError: pass
    try: socket.create_connection(("127.0.0.1", 4711)); print("connected")
    except OSError: pass
    for d in ("/room", "/tmp", "/dev/shm"):
        for f in os.listdir(d): print("file", d, f)
    for pid in range(1, 400):
        if pid in (os.getpid(),): continue
        for what in ("root/room/secret", "cwd/secret", "environ", "cmdline", "mem", "maps"):
            try: open("/proc/%d/%s" % (pid, what), "rb").read(1); print("read", pid, what)
            except OSError: pass
    if len(glob.glob("/proc/[0-9]*")) > 1: print("sees", glob.glob("/proc/[0-9]*"))
    try: os.kill(-1, signal.SIGKILL); print("killed")
    except ProcessLookupError: pass
    time.sleep(0.2)
print("nothing")`

func TestSubmissionsThatRunAtTheSameTimeDoNotMeet(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		// Two of the same way, as a server's pool has them.
		other := *r
		if r.pool != nil {
			other.pool = newPool(t, r.Runner, PoolConfig{Size: 1})
		}
		s, b := python(neighbour), python(burglar)
		var both sync.WaitGroup
		var victim, thief Result
		for at, run := range map[*Result]struct {
			on   *subject
			step Step
		}{&victim: {r, s}, &thief: {&other, b}} {
			both.Go(func() { *at = mustRun(t, run.on, run.step) })
		}
		both.Wait()
		if out := string(thief.Processes[0].Stdout); out != "nothing\n" {
			t.Errorf("the burglar printed %q: %s", out, thief.Processes[0].Stderr)
		}
		if out := string(victim.Processes[0].Stdout); out != "up\nTrue ['secret'] ['secret', 'socket']\n" {
			t.Errorf("the neighbour printed %q: %s", out, victim.Processes[0].Stderr)
		}
	})
}

func TestSetIDProgramsGiveNothing(t *testing.T) {
	const program = `import os, stat, subprocess, shutil
found = 0
for d in ("/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/lib/openssh", "/usr/lib/dbus-1.0"):
    if not os.path.isdir(d): continue
    if not os.statvfs(d).f_flag & os.ST_NOSUID: print("set-id bits count in", d)
    for n in os.listdir(d):
        try: found += bool(os.stat(d + "/" + n).st_mode & (stat.S_ISUID | stat.S_ISGID))
        except OSError: pass
for argv in (["su", "-c", "id -u"], ["mount", "-t", "tmpfs", "x", "/tmp"], ["umount", "/room"], ["newgrp", "root"]):
    p = shutil.which(argv[0])
    if p is None: continue
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True)
    if r.returncode == 0 or r.stdout.strip() == b"0": print(argv, "gave", r)
# One's own, on the only places that can be written.
for d in ("/room", "/tmp", "/dev/shm"):
    if not os.statvfs(d).f_flag & os.ST_NOSUID: print("set-id bits count in", d)
    f = d + "/id"
    shutil.copy("/usr/bin/id", f)
    os.chmod(f, 0o6755)
    r = subprocess.run([f, "-u"], capture_output=True)
    if r.stdout.strip() != str(os.getuid()).encode(): print(f, "gave", r)
print("nothing", os.geteuid() != 0 and os.getresuid() == (os.getuid(),) * 3)`
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(program), Exited, 0, "nothing True")
	})
}

func TestNoHardLimitCanBeRaised(t *testing.T) {
	const program = `import resource, os
names = sorted(n for n in dir(resource) if n.startswith("RLIMIT_"))
checked = 0
for n in names:
    k = getattr(resource, n)
    soft, hard = resource.getrlimit(k)
    checked += hard != resource.RLIM_INFINITY
    for want in (hard + 1, resource.RLIM_INFINITY):
        if hard == resource.RLIM_INFINITY: continue
        for call in (lambda: resource.setrlimit(k, (soft, want)), lambda: resource.prlimit(0, k, (want, want)), lambda: resource.prlimit(os.getppid(), k, (want, want))):
            try: call(); print("raised", n)
            except (OSError, ValueError): pass
    if resource.getrlimit(k)[1] != hard: print("changed", n)
print(checked >= 8)`
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, python(program), Exited, 0, "True")
	})
}

// A report has as many files, names and bytes as its writer likes.
func TestHugeReportsAreCutAndSaySo(t *testing.T) {
	for name, c := range map[string]struct {
		script       string
		files, bytes int
	}{
		"one file":        {"head -c 20000000 /dev/zero > report.xml", 0, 0},
		"sparse":          {"truncate -s 15000000 report.xml", 0, 0},
		"many files":      {"i=0; while [ $i -lt 3000 ]; do : > r$i.xml; i=$((i+1)); done", 256, 0},
		"deep folders":    {"p=.; i=0; while [ $i -lt 150 ]; do p=$p/d; i=$((i+1)); done; mkdir -p $p && echo x > $p/r.xml; echo y > r.xml", 2, 4},
		"names like bait": {"echo a > 'r\n.xml'; echo b > '../../x.xml' 2>/dev/null; echo c > ' .xml'; echo d > '-rf.xml'", 3, 6},
	} {
		t.Run(name, func(t *testing.T) {
			variants(t, func(t *testing.T, r *subject) {
				s := shell(c.script)
				s.Processes[0].Collect = []string{"**"}
				s.Limits.Wall, s.Limits.FileSize = 30*time.Second, 32<<20
				res := mustRun(t, r, s)
				p := res.Processes[0]
				size := 0
				for _, f := range p.Files {
					size += len(f.Content)
					if strings.Contains(f.Path, "..") || strings.HasPrefix(f.Path, "/") {
						t.Errorf("collected %q", f.Path)
					}
				}
				if res.Outcome != Exited || len(p.Files) > c.files || size > c.bytes || (c.bytes == 0 && !p.FilesTruncated) {
					t.Errorf("%s: %d files of %d bytes, truncated %v: %s", res.Outcome, len(p.Files), size, p.FilesTruncated, p.Stderr)
				}
			})
		})
	}
}

// Links in the place of what a second look would expect.
func TestLinksThatChangeWhileTheyAreCollectedLeadNowhere(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		s := python(`import os, time
os.makedirs("/room/d/e")
for n in ("a", "b"): open("/room/d/e/" + n, "w").write("own")
os.symlink("/etc/passwd", "/room/l"); os.symlink("/proc/1/environ", "/room/m"); os.symlink("/room", "/room/d/loop"); os.symlink("self", "/room/self")
if os.fork() == 0:
    os.setsid()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        os.rename("/room/d/e", "/room/d/f"); os.symlink("/etc", "/room/d/e")
        os.unlink("/room/d/e"); os.rename("/room/d/f", "/room/d/e")
print("up")`)
		s.Processes[0].Collect = []string{"**"}
		p := expect(t, r, s, Exited, 0, "up")
		for _, f := range p.Files {
			if string(f.Content) != "own" {
				t.Errorf("collected %s: %.80q", f.Path, f.Content)
			}
		}
	})
}

func TestASubmissionsFilesNeverGoThroughLinksOfTheRoom(t *testing.T) {
	// What a room holds before its job is the platform's, but for its runtimes:
	// a file whose name leads there must be refused, not followed.
	r := newRunner(t, Config{})
	for _, name := range []string{"../etc/passwd", "/etc/passwd", "a/../../x", "", ".", "a//b", "a/./b", "x\x00y"} {
		s := shell("true")
		s.Processes[0].Files = []File{{Path: name, Content: []byte("x")}}
		if _, err := r.Run(t.Context(), s); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
	variants(t, func(t *testing.T, r *subject) {
		s := shell("cat proc/self/x etc/passwd dev/null tmp/x")
		for _, name := range []string{"proc/self/x", "etc/passwd", "dev/null", "tmp/x"} {
			s.Processes[0].Files = append(s.Processes[0].Files, File{Path: name, Content: []byte(fmt.Sprintln(name))})
		}
		expect(t, r, s, Exited, 0, "proc/self/x\netc/passwd\ndev/null\ntmp/x")
	})
}
