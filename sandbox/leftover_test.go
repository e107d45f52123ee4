//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// alive lists the host's processes whose command line contains mark.
func alive(t *testing.T, mark string) []string {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err == nil && bytes.Contains(raw, []byte(mark)) {
			found = append(found, name+": "+strings.ReplaceAll(string(raw), "\x00", " "))
		}
	}
	return found
}

func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", within, what)
		}
	}
}

// hostile is a payload that leaves daemons, ignores signals and is found by its
// mark.
func hostile(mark string) Step {
	return python(fmt.Sprintf(`import os, signal, time
mark = %q
for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(s, signal.SIG_IGN)
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open("/tmp/%%d" %% os.getpid(), "w").write("x")
            while True: time.sleep(1)
        os._exit(0)
print("up", flush=True)
`, mark))
}

func TestDaemonsDieWithTheProgramThatLeftThem(t *testing.T) {
	mark := fmt.Sprintf("daemon-mark-%d", time.Now().UnixNano())
	variants(t, func(t *testing.T, r *subject) {
		expect(t, r, hostile(mark+t.Name()), Exited, 0, "up")
		if left := alive(t, mark+t.Name()); len(left) > 0 {
			t.Errorf("still there: %q", left)
		}
	})
}

func TestEverythingIsDeadSoonAfterALimit(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		mark := fmt.Sprintf("limit-mark-%s-%d", t.Name(), time.Now().UnixNano())
		s := hostile(mark)
		s.Processes[0].Argv[4] += "\nwhile True: pass"
		s.Limits.Wall = time.Second
		res := mustRun(t, r, s)
		if out := string(res.Processes[0].Stdout); out != "up\n" {
			t.Errorf("the daemons were not left: %q %s", out, res.Processes[0].Stderr)
		}
		if left := alive(t, mark); len(left) > 0 {
			t.Errorf("still there: %q", left)
		}
		if late := res.Processes[0].Wall - s.Limits.Wall; res.Outcome != TimedOut || late > promptly {
			t.Errorf("%s, %s late", res.Outcome, late)
		} else {
			t.Logf("dead %s after the limit", late)
		}
	})
}

const hostToBeKilled = "SANDBOX_TEST_HOST_MARK"

// hostUntilKilled is the server in TestRoomsDieWithTheirHost: one step runs, and
// rooms of all ways wait.
func hostUntilKilled(mark string) {
	r, err := New(Config{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	pool := r.NewPool(PoolConfig{Size: 1})
	client, err := os.ReadFile(forkServerClient)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, way := range []Way{Prepared, Warm, Forked} {
		s := shell("true")
		s.Recurring, s.Processes[0].Warm = true, way != Prepared
		s.WarmUp = &WarmUp{Argv: []string{"/usr/bin/python3", "-I", "-S", "main.py", mark}, ForkServer: way == Forked,
			Files: []File{{Path: "main.py", Content: []byte(warmProgram)}, {Path: "forkserver.py", Content: client}}}
		if err := pool.Prepare(context.Background(), s); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	for _, k := range pool.kinds {
		for _, set := range k.sets {
			fmt.Println("waits", set.rooms[0].body.pid())
		}
	}
	for _, server := range pool.servers {
		fmt.Println("waits", server.zygote.room.body.pid())
	}
	fmt.Println("all")
	s := hostile(mark)
	s.Processes[0].Argv[4] += "\ntime.sleep(600)"
	s.Limits.Wall = 10 * time.Minute
	_, err = r.Run(context.Background(), s)
	fmt.Println("ended:", err)
	os.Exit(1)
}

func TestRoomsDieWithTheirHost(t *testing.T) {
	mark := fmt.Sprintf("host-mark-%d", time.Now().UnixNano())
	host := exec.Command("/proc/self/exe")
	host.Env = append(os.Environ(), hostToBeKilled+"="+mark)
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	var waiting []int
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "all" {
		var pid int
		if _, err := fmt.Sscanf(lines.Text(), "waits %d", &pid); err != nil {
			t.Fatal(lines.Text())
		}
		waiting = append(waiting, pid)
	}
	// A room for each way, and the fork-server's.
	if len(waiting) != 4 {
		t.Fatalf("%d rooms wait", len(waiting))
	}
	eventually(t, time.Minute, "five daemons start", func() bool { return len(alive(t, mark)) >= 5+3 })
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	eventually(t, time.Minute, "all processes die", func() bool { return len(alive(t, mark)) == 0 })
	for _, pid := range waiting {
		eventually(t, time.Minute, "the waiting rooms die", func() bool { return gone(pid) })
	}
}

// gone is also true of a dead process that nobody has waited for yet.
func gone(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(raw), ") ")
	return strings.HasPrefix(rest, "Z") || strings.HasPrefix(rest, "X")
}

// holdings counts what runs might leave on the host.
func holdings(t *testing.T, r *Runner) map[string]int {
	t.Helper()
	count := map[string]int{}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	count["descriptors"] = len(fds)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	count["mounts"] = bytes.Count(mounts, []byte("\n"))
	temp, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range temp {
		if strings.Contains(e.Name(), "sandbox") {
			count["temporary files"]++
		}
	}
	if r.cgroups != nil {
		groups, err := filepath.Glob(fmt.Sprintf("%s/tracker-sandbox-%d-*", r.cgroups.Parent(), os.Getpid()))
		if err != nil {
			t.Fatal(err)
		}
		count["groups"] = len(groups)
	}
	children, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range children {
		raw, err := os.ReadFile(name)
		if err == nil {
			count["children"] += len(strings.Fields(string(raw)))
		}
	}
	return count
}

// manyRuns is how many runs leave nothing.
func manyRuns() int {
	if os.Getenv("TRACKER_TEST_FULL") != "" {
		return 1000
	}
	return 50
}

// TestNothingIsLeftAfterManyRuns takes turns between all ways, to begin and to
// end. The waiting rooms are counted before and after, when as many wait.
func TestNothingIsLeftAfterManyRuns(t *testing.T) {
	mark := fmt.Sprintf("left-mark-%d", time.Now().UnixNano())
	pair := Step{Runtimes: System(), Processes: []Process{
		{Role: "a", Argv: []string{"/bin/sh", "-c", "exit 0"}, Channel: true}, {Role: "b", Argv: []string{"/bin/sh", "-c", "sleep 60"}, Channel: true}}}
	ends := []Step{shell("echo hi"), shell("sleep 60"), shell("yes"), shell("exit 1"), hostile(mark), {Processes: []Process{{Argv: []string{"/none"}}}}, pair,
		shell("kill -9 $$"), python("a = []\nwhile True: a.append(b'x' * 1000000)")}
	ends[1].Limits.Wall = 20 * time.Millisecond
	ends[2].Limits.Output = 1000
	ends[8].Limits.Memory = 48 << 20
	r := newRunner(t, Config{})
	subjects := []*subject{{Runner: r, t: t, way: Cold}}
	for _, way := range []Way{Prepared, Warm, Forked} {
		s := &subject{Runner: r, t: t, way: way, pool: r.NewPool(PoolConfig{Size: 1})}
		subjects = append(subjects, s)
		defer func() { _ = s.pool.Close() }()
	}
	ways := map[Way]int{}
	runAll := func(runs int) {
		for i := range runs {
			s := subjects[i%len(subjects)]
			step := s.on(ends[i/len(subjects)%len(ends)])
			if s.pool == nil {
				_, _ = r.Run(context.Background(), step)
				continue
			}
			// What can't wait, e.g. a program that isn't there, runs cold.
			waiting, cancel := context.WithTimeout(context.Background(), time.Minute)
			_ = s.pool.Prepare(waiting, step)
			cancel()
			if i%10 == 9 {
				// The caller goes away in the middle.
				soon, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
				_, _ = s.pool.Run(soon, step)
				cancel()
				continue
			}
			res, _ := s.pool.Run(context.Background(), step)
			ways[res.Way]++
		}
	}
	settled := func() map[string]int {
		for _, s := range subjects[1:] {
			if err := s.pool.Close(); err != nil {
				t.Error(err)
			}
			s.pool = r.NewPool(PoolConfig{Size: 1})
		}
		return holdings(t, r)
	}
	runAll(len(subjects)) // opens what the process keeps for itself, e.g. the poller
	before := settled()
	runAll(manyRuns())
	after := settled()
	for what, n := range after {
		if n > before[what] {
			t.Errorf("%s: %d before, %d after", what, before[what], n)
		}
	}
	if left := alive(t, mark); len(left) > 0 {
		t.Errorf("still there: %q", left)
	}
	if len(r.slots) != r.cfg.Slots {
		t.Errorf("%d of %d slots are free", len(r.slots), r.cfg.Slots)
	}
	for _, way := range []Way{Prepared, Warm, Forked} {
		if ways[way] == 0 {
			t.Errorf("none of the runs was %s: %v", way, ways)
		}
	}
	t.Logf("%d runs, by way %v; held before %v, after %v", manyRuns(), ways, before, after)
}
