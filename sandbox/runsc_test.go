//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// onSecondKernel is a runner whose containers and folders are gone afterwards.
func onSecondKernel(t *testing.T, cfg Config) *Runner {
	t.Helper()
	if _, err := exec.LookPath("runsc"); err != nil {
		t.Skip("runsc is not installed")
	}
	// Part of a second kernel runs as nobody, who must get there.
	dir, err := os.MkdirTemp("/tmp", "runsc-test") //nolint:usetesting // as said
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	cfg.Backend = BackendRunsc
	r := newRunner(t, cfg)
	t.Cleanup(func() {
		if left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), bundles+"*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		all, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil || len(all) == 0 {
			t.Error(all, err)
		}
		for _, name := range all {
			if raw, err := os.ReadFile(name); err == nil && strings.Contains(string(raw), dir) {
				t.Errorf("still running: %s %s", name, raw)
			}
		}
		if len(r.slots) != cap(r.slots) {
			t.Errorf("%d of %d slots came back", len(r.slots), cap(r.slots))
		}
	})
	return r
}

func TestASecondKernelRunsAStepAsRoomsDo(t *testing.T) {
	r := onSecondKernel(t, Config{})
	if r.Isolation() != SecondKernel || r.OneProcess() {
		t.Errorf("it says %s", r.Isolation())
	}
	s := shell("id -un; cat a/b; (echo no > a/b) 2>/dev/null || rm -f a/b 2>/dev/null || mv a c 2>/dev/null || echo kept; cat; echo x > y; pwd; cat /proc/version; exit 3")
	s.Processes[0].Files = []File{{Path: "a/b", Content: []byte("in\n"), ReadOnly: true}}
	s.Processes[0].Stdin = []byte("typed\n")
	s.Processes[0].Collect = []string{"y"}
	p := mustRun(t, r, s).Processes[0]
	out := strings.SplitN(string(p.Stdout), "Linux version ", 2)
	if p.ExitCode != 3 || out[0] != "learner\nin\nkept\ntyped\n/room\n" || len(p.Files) != 1 || string(p.Files[0].Content) != "x\n" {
		t.Errorf("exit %d, files %v, printed %s\n%s", p.ExitCode, p.Files, p.Stdout, p.Stderr)
	}
	host, err := os.ReadFile("/proc/version")
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 2 || "Linux version "+out[1] == string(host) {
		t.Errorf("the kernel is %q", out)
	}
}

func TestTwoProcessesHaveTheirChannelAcrossSecondKernels(t *testing.T) {
	r := onSecondKernel(t, Config{})
	talk := func(first, then string) []string {
		return python("import os, socket; s = socket.socket(fileno=3); " + first + "; print(s.recv(100).decode(), os.path.exists('mine')); " + then).Processes[0].Argv
	}
	res := mustRun(t, r, Step{Runtimes: System(), Processes: []Process{
		{Role: "tests", Argv: talk("s.sendall(b'question')", "pass"), Channel: true, Files: []File{{Path: "mine"}}},
		{Role: "submission", Argv: talk("pass", "s.sendall(b'answer')"), Channel: true},
	}})
	if a, b := string(res.Processes[0].Stdout), string(res.Processes[1].Stdout); a != "answer True\n" || b != "question False\n" {
		t.Errorf("%q, %q\n%s%s", a, b, res.Processes[0].Stderr, res.Processes[1].Stderr)
	}
}

func TestAttacksOnASecondKernelFail(t *testing.T) {
	r := onSecondKernel(t, Config{})
	secret := filepath.Join(os.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		step   Step
		limits Limits
		want   Outcome
		prints string
	}{
		"host files": {step: python(`
import os
found = [p for p in ("` + secret + `", "/etc/shadow", "/root", "/home", "/var", "/proc/1/root/etc/shadow") if os.path.exists(p)]
for p in ("/x", "/usr/x", "/etc/passwd", "/tracker-sandbox-guest"):
    try:
        open(p, "a").close()
        found.append("writes " + p)
    except OSError:
        pass
print(found)`), want: Exited, prints: "[]"},
		"privileges": {step: python(`
import os
found = []
for name, call in {"setuid": lambda: os.setuid(0), "setgroups": lambda: os.setgroups([]), "chroot": lambda: os.chroot("/tmp"),
        "kill": lambda: os.kill(1, 9), "mem": lambda: open("/proc/1/mem").read()}.items():
    try:
        call()
        found.append(name)
    except OSError:
        pass
print(os.getuid(), found, [l.split()[1] for l in open("/proc/self/status") if l.startswith("CapEff")])`), want: Exited, prints: "1000 [] ['0000000000000000']"},
		"network": {step: python(`
import socket
found = []
for where in (("192.0.2.1", 53), ("127.0.0.1", 22)):
    try:
        socket.create_connection(where, 1)
        found.append(where)
    except OSError:
        pass
print(found)`), want: Exited, prints: "[]"},
		"fork bomb": {step: python("import os\nwhile True:\n try: os.fork()\n except OSError: pass"), limits: Limits{Wall: time.Second, Processes: 16}, want: TimedOut},
		"memory":    {step: python("b = []\nwhile True: b.append(bytearray(b'x') * (8 << 20))"), limits: Limits{Memory: 64 << 20, Wall: 20 * time.Second, CPU: 20 * time.Second}, want: OutOfMemory},
		"disk":      {step: python("try:\n with open('f','wb') as f:\n  while True: f.write(b'x'*65536)\nexcept OSError as e: print(e.errno)"), limits: Limits{Disk: 8 << 20}, want: Exited, prints: "28"},
		"CPU":       {step: python("while True: pass"), limits: Limits{Wall: 10 * time.Second, CPU: 200 * time.Millisecond}, want: TimedOut},
		"time":      {step: python("import signal, time\nfor s in range(1, 65):\n try: signal.signal(s, signal.SIG_IGN)\n except (OSError, ValueError): pass\ntime.sleep(60)"), limits: Limits{Wall: 500 * time.Millisecond}, want: TimedOut},
		"daemon":    {step: python("import os, time\nif os.fork() == 0:\n os.setsid(); time.sleep(60)"), want: Exited},
		"output":    {step: shell("yes"), limits: Limits{Output: 100_000}, want: OutputLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.step.Limits = c.limits
			p := mustRun(t, r, c.step).Processes[0]
			if p.Outcome != c.want || c.prints != "" && strings.TrimSpace(string(p.Stdout)) != c.prints {
				t.Errorf("%s with code %d, signal %d, %d MB, CPU %s, printed %.300s\n%.2000s", p.Outcome, p.ExitCode, p.Signal, p.MaxRSS>>20, p.CPU, p.Stdout, p.Stderr)
			}
		})
	}
}

func TestNothingIsLeftOfASecondKernelThatNobodyWaitsFor(t *testing.T) {
	r := onSecondKernel(t, Config{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if res, err := r.Run(ctx, shell("sleep 60")); err == nil {
		t.Errorf("%+v", res)
	}
}

func TestAnUnknownOrMissingBackendIsNamed(t *testing.T) {
	if _, err := New(Config{Backend: "jail"}); err == nil || !strings.Contains(err.Error(), `"jail"; it must be native or runsc`) {
		t.Error(err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := New(Config{Backend: BackendRunsc, UnsafeWithoutIsolation: true}); err == nil || !strings.Contains(err.Error(), "apt-get install runsc") {
		t.Error(err)
	}
}

func TestTheProbeAttacksASecondKernel(t *testing.T) {
	onSecondKernel(t, Config{})
	report := Probe(t.Context(), Config{Backend: BackendRunsc})
	if !report.OK() || report.Isolation != SecondKernel || !strings.Contains(report.String(), "second kernel") {
		t.Errorf("%s\n%s", report.Isolation, report)
	}
}

func TestASecondKernelLeavesTheHostsDevicesToTheirOwners(t *testing.T) {
	owner := func() [2]uint32 {
		var stat unix.Stat_t
		if err := unix.Stat("/dev/null", &stat); err != nil {
			t.Fatal(err)
		}
		return [2]uint32{stat.Uid, stat.Gid}
	}
	before := owner()
	// Last of all, when the runner's containers are gone.
	t.Cleanup(func() {
		if after := owner(); after != before {
			t.Errorf("/dev/null belongs to %d, it belonged to %d", after, before)
		}
	})
	mustRun(t, onSecondKernel(t, Config{}), shell("echo hi"))
}
