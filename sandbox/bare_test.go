//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
)

const hostWithoutIsolation = "SANDBOX_TEST_WITHOUT_ISOLATION"

// onBareMachine runs a test once more, on what is to it a machine of its own
// that grants no namespaces: it has its own processes, /room and /tmp.
func onBareMachine(t *testing.T) (there bool) {
	t.Helper()
	if os.Getenv(hostWithoutIsolation) != "" {
		makeBareMachine(t)
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), hostWithoutIsolation+"=1")
	attr := &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID}
	uid, gid := os.Geteuid(), os.Getegid()
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	if uid == 0 {
		more := syscall.SysProcIDMap{ContainerID: defaultFirstUID, HostID: defaultFirstUID, Size: 2}
		attr.UidMappings, attr.GidMappings = append(attr.UidMappings, more), append(attr.GidMappings, more)
		attr.GidMappingsEnableSetgroups = true
	} else {
		attr.AmbientCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_RESOURCE, unix.CAP_DAC_OVERRIDE}
	}
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("on a machine without namespaces: %v\n%s", err, out)
	}
	return false
}

func makeBareMachine(t *testing.T) {
	t.Helper()
	mount := func(source, target, kind string, flags uintptr, data string) {
		if err := unix.Mount(source, target, kind, flags, data); err != nil {
			t.Fatalf("%s: %v", target, err)
		}
	}
	mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	const root = "/mnt"
	mount("tmpfs", root, "tmpfs", 0, "mode=0755")
	entries, err := os.ReadDir("/")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name, target := "/"+entry.Name(), filepath.Join(root, entry.Name())
		switch link, _ := os.Readlink(name); {
		case link != "":
			err = os.Symlink(link, target)
		case entry.IsDir() && name != WarmDir && name != WorkDir:
			if err = os.Mkdir(target, 0o755); err == nil && !slices.Contains([]string{"/proc", root, "/tmp"}, name) {
				mount(name, target, "", unix.MS_BIND|unix.MS_REC, "")
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	mount("proc", root+"/proc", "proc", 0, "")
	for _, dir := range []string{"/tmp", "/var/tmp", "/dev/shm"} {
		mount("tmpfs", root+dir, "tmpfs", 0, "mode=01777")
	}
	t.Chdir(root)
	if err := errors.Join(unix.PivotRoot(".", "."), unix.Unmount(".", unix.MNT_DETACH)); err != nil {
		t.Fatal(err)
	}
	t.Chdir("/")
	for _, name := range []string{"user", "mnt"} {
		if err := os.WriteFile("/proc/sys/user/max_"+name+"_namespaces", []byte("0"), 0); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TMPDIR", "/tmp")
}

// ownFolders are where programs expect their files.
var ownFolders = []string{WorkDir, WarmDir}

// newBare is a runner on such a machine; nothing may be left of what it runs.
func newBare(t *testing.T, cfg Config) *Runner {
	t.Helper()
	for _, dir := range ownFolders {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, workMarker), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	cfg.UnsafeWithoutIsolation = true
	r := newRunner(t, cfg)
	if r.Isolation() != NoIsolation || !r.OneProcess() || r.Unsafe() == nil || !strings.Contains(r.Unsafe().Error(), "can't be confined") {
		t.Errorf("it says %s, %v", r.Isolation(), r.Unsafe())
	}
	t.Cleanup(func() {
		for _, dir := range []string{WorkDir, WarmDir, "/tmp", "/dev/shm"} {
			entries, err := os.ReadDir(dir)
			own := slices.Contains(ownFolders, dir)
			if own {
				entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == workMarker })
			}
			if err != nil || len(entries) > 0 && (own || r.root) {
				t.Errorf("left in %s: %v, %v", dir, entries, err)
			}
		}
		if left := others(t); len(left) > 0 {
			t.Errorf("still running: %v", left)
		}
	})
	return r
}

// others are all processes on a bare machine but this one, once those that are
// dead were waited for.
func others(t *testing.T) []string {
	t.Helper()
	left := processes(t)
	for deadline := time.Now().Add(10 * time.Second); len(left) > 0 && time.Now().Before(deadline); left = processes(t) {
		time.Sleep(10 * time.Millisecond)
	}
	return left
}

func processes(t *testing.T) (all []string) {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(entries) == 0 {
		t.Fatal(entries, err)
	}
	for _, name := range entries {
		if raw, err := os.ReadFile(name); err == nil && name != "/proc/"+strconv.Itoa(os.Getpid())+"/cmdline" {
			all = append(all, name+" "+string(raw))
		}
	}
	return all
}

func TestWithoutNamespacesNothingRunsUnlessTheUnsafeFlagIsSet(t *testing.T) {
	if !onBareMachine(t) {
		return
	}
	if _, err := New(Config{}); err == nil || !strings.Contains(err.Error(), "can't be confined") {
		t.Errorf("without the flag: %v", err)
	}
	if err := errors.Join(os.Mkdir(WorkDir, 0o755), os.WriteFile(filepath.Join(WorkDir, "precious"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{UnsafeWithoutIsolation: true}); err == nil || !strings.Contains(err.Error(), "/room is in other use") {
		t.Errorf("on a /room that is somebody's: %v", err)
	}
	if _, err := os.Stat(filepath.Join(WorkDir, "precious")); err != nil {
		t.Error(err)
	}
	r := newBare(t, Config{})
	if _, err := os.Stat(filepath.Join(WorkDir, "precious")); err == nil {
		t.Error("what the last run left is still there")
	}
	s := shell("id -u; cat a/b /warm/w; cat; echo x > y; echo z > /tmp/z; mkdir d; pwd; exit 3")
	s.Processes[0].Files = []File{{Path: "a/b", Content: []byte("in\n"), ReadOnly: true}}
	s.Processes[0].Stdin = []byte("typed\n")
	s.Processes[0].Collect = []string{"y"}
	s.Processes[0].Warm, s.WarmUp = true, &WarmUp{Files: []File{{Path: "w", Content: []byte("warm\n")}}}
	p := mustRun(t, r, s).Processes[0]
	uid := "60000"
	if !r.root {
		uid = strings.TrimSpace(string(mustRun(t, r, shell("id -u")).Processes[0].Stdout))
	}
	if p.ExitCode != 3 || string(p.Stdout) != uid+"\nin\nwarm\ntyped\n/room\n" || len(p.Files) != 1 || string(p.Files[0].Content) != "x\n" {
		t.Errorf("exit %d, files %v, printed %s\n%s", p.ExitCode, p.Files, p.Stdout, p.Stderr)
	}
	two := Step{Runtimes: System(), Processes: []Process{{Role: "a", Argv: []string{"/bin/true"}}, {Role: "b", Argv: []string{"/bin/true"}}}}
	if _, err := r.Run(t.Context(), two); !errors.Is(err, ErrOneProcess) {
		t.Errorf("two processes: %v", err)
	}
}

func TestTheUnsafeFlagChangesNothingWhereThereAreNamespaces(t *testing.T) {
	r := newRunner(t, Config{UnsafeWithoutIsolation: true})
	if r.Isolation() != Namespaces || r.OneProcess() || r.Unsafe() != nil {
		t.Errorf("it says %s, %v", r.Isolation(), r.Unsafe())
	}
	expect(t, r, shell("test -e /home || echo own root"), Exited, 0, "own root")
}

func TestWithoutNamespacesLimitsHoldAndNothingIsLeft(t *testing.T) {
	if !onBareMachine(t) {
		return
	}
	r := newBare(t, Config{})
	for name, c := range map[string]struct {
		step   Step
		limits Limits
		want   Outcome
	}{
		"time":      {python("import signal, time\nfor s in range(1, 65):\n try: signal.signal(s, signal.SIG_IGN)\n except (OSError, ValueError): pass\ntime.sleep(60)"), Limits{Wall: 300 * time.Millisecond}, TimedOut},
		"CPU":       {python("while True: pass"), Limits{CPU: 200 * time.Millisecond}, TimedOut},
		"memory":    {python("b = []\nwhile True: b.append(bytearray(b'x') * (8 << 20))"), Limits{Memory: 64 << 20}, OutOfMemory},
		"output":    {shell("yes"), Limits{Output: 100_000}, OutputLimit},
		"daemons":   {python("import os, time\nfor i in range(3):\n if os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0: time.sleep(60)\n  os._exit(0)"), Limits{}, Exited},
		"fork bomb": {python("import os\nwhile True:\n try: os.fork()\n except OSError: pass"), Limits{Wall: 500 * time.Millisecond, Processes: 32}, TimedOut},
	} {
		c.step.Limits = c.limits
		if p := mustRun(t, r, c.step).Processes[0]; p.Outcome != c.want {
			t.Errorf("%s: %s with code %d, %.200s %.2000s", name, p.Outcome, p.ExitCode, p.Stdout, p.Stderr)
		}
		if left := others(t); len(left) > 0 {
			t.Errorf("%s: still running: %v", name, left)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if res, err := r.Run(ctx, shell("setsid sleep 60 & sleep 60")); err == nil {
		t.Errorf("%+v", res)
	}
}

func TestWithoutNamespacesWhatNeedsNoneStillHolds(t *testing.T) {
	if !onBareMachine(t) {
		return
	}
	if err := os.WriteFile("/var/tmp/secret", []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := newBare(t, Config{})
	s := python(`
import ctypes, os, socket
libc, found = ctypes.CDLL(None, use_errno=True), []
def attack(name, call):
    try:
        call()
        found.append(name)
    except OSError:
        pass
def system(name, *args):
    ctypes.set_errno(0)
    if getattr(libc, name)(*args) >= 0 or ctypes.get_errno() != 1:
        found.append(name)
attack("inet", lambda: socket.socket(socket.AF_INET))
attack("inet6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
attack("netlink", lambda: socket.socket(socket.AF_NETLINK))
attack("setuid", lambda: os.setuid(0))
attack("read", lambda: open("/var/tmp/secret").read())
attack("write", lambda: open("/var/tmp/x", "w"))
attack("environ", lambda: open("/proc/1/environ").read())
attack("signal", lambda: os.kill(1, 0))
attack("replace", lambda: os.rename("a", "c"))
attack("remove", lambda: os.remove("a/b"))
system("unshare", 0x10000000)
system("ptrace", 0, 0, 0, 0)
caps = [l.split()[1] for l in open("/proc/self/status") if l.startswith(("CapEff", "NoNewPrivs", "Seccomp:"))]
print(found, caps)`)
	s.Processes[0].Files = []File{{Path: "a/b", ReadOnly: true}}
	want := "[] ['0000000000000000', '1', '2']"
	var open []string
	if version := pid1.LandlockVersion(); version == 0 {
		open = append(open, "'read'", "'write'")
	}
	if !r.root {
		// Its own user, who owns all of it.
		if pid1.LandlockVersion() == 0 {
			open = append(open, "'environ'")
		}
		if pid1.LandlockVersion() < 6 {
			open = append(open, "'signal'")
		}
		open = append(open, "'replace'", "'remove'")
	}
	if !r.root {
		s.Processes[0].Files = append(s.Processes[0].Files, File{Path: "c/b"})
		open = slices.DeleteFunc(open, func(s string) bool { return s == "'replace'" })
	}
	expect(t, r, s, Exited, 0, strings.Replace(want, "[]", "["+strings.Join(open, ", ")+"]", 1))
}

func TestTwoServersWithoutNamespacesTakeTurns(t *testing.T) {
	if !onBareMachine(t) {
		return
	}
	a, b := newBare(t, Config{}), newBare(t, Config{})
	errs := make(chan error)
	for _, r := range []*Runner{a, b, a, b} {
		go func() {
			s := shell("test ! -e taken && touch taken && sleep 0.05")
			res, err := r.Run(context.WithoutCancel(t.Context()), s)
			if err == nil && res.Processes[0].ExitCode != 0 {
				err = errors.New("it saw another's files")
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestTheProbeSaysThatNothingIsolatesAndWhatHoldsAllTheSame(t *testing.T) {
	if !onBareMachine(t) {
		return
	}
	if report := Probe(t.Context(), Config{}); report.OK() || report.Err == nil || report.Unsafe != nil {
		t.Errorf("without the flag: %v", report)
	}
	newBare(t, Config{})
	report := Probe(t.Context(), Config{UnsafeWithoutIsolation: true})
	text := report.String()
	if report.Err != nil || report.Isolation != NoIsolation || report.Unsafe == nil {
		t.Errorf("%s: %v, %v", report.Isolation, report.Err, report.Unsafe)
	}
	for _, want := range []string{"namespaces    unavailable", "no_new_privs  held", "seccomp       held", "no network    held", "time limit    held", "memory limit  held"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
