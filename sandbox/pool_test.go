//go:build linux && (amd64 || arm64)

package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEveryWayGivesAProcessTheSame(t *testing.T) {
	variants(t, func(t *testing.T, r *subject) {
		s := shell(`cat in.txt -; echo "$COURSE" >&2; echo made > ../out.txt; pwd; exit 7`)
		p := &s.Processes[0]
		p.Files = []File{{Path: "data/in.txt", Content: []byte("file\n"), ReadOnly: true}}
		p.Stdin, p.Env, p.Dir, p.Collect = []byte("stdin\n"), []string{"COURSE=x y"}, "data", []string{"**/*.txt"}
		got := mustRun(t, r, s).Processes[0]
		if got.ExitCode != 7 || string(got.Stdout) != "file\nstdin\n/room/data\n" || string(got.Stderr) != "x y\n" || len(got.Files) != 2 {
			t.Errorf("%+v\nstdout %q\nstderr %q", got, got.Stdout, got.Stderr)
		}
		if got.CPU <= 0 || got.Wall <= 0 || got.MaxRSS <= 0 {
			t.Errorf("measured %+v", got)
		}
	})
}

func TestEveryWayConnectsTwoProcessesAndEachProcessIsAloneInItsRoom(t *testing.T) {
	const tests = `import socket, os
c = socket.socket(fileno=3)
c.sendall(b"6 7\n")
print(c.recv(100), os.path.exists("expected.txt"), sum(n.isdigit() for n in os.listdir("/proc")))`
	const submission = `import socket, os
c = socket.socket(fileno=3)
a, b = c.recv(100).split()
c.sendall(b"%d" % (int(a) * int(b)))
print(os.path.exists("expected.txt"), sum(n.isdigit() for n in os.listdir("/proc")))`
	variants(t, func(t *testing.T, r *subject) {
		res := mustRun(t, r, Step{Runtimes: System(), Processes: []Process{
			{Role: "tests", Argv: []string{"/usr/bin/python3", "-I", "-S", "-c", tests}, Channel: true, Files: []File{{Path: "expected.txt"}}},
			{Role: "submission", Argv: []string{"/usr/bin/python3", "-I", "-S", "-c", submission}, Channel: true},
		}})
		// pid 1 shows only where it is the same host user.
		alone := func(p ProcessResult, format string) bool {
			out := string(p.Stdout)
			return out == fmt.Sprintf(format, 1) || out == fmt.Sprintf(format, 2)
		}
		if a, b := res.Processes[0], res.Processes[1]; !alone(a, "b'42' True %d\n") || !alone(b, "False %d\n") {
			t.Errorf("tests: %q %s\nsubmission: %q %s", a.Stdout, a.Stderr, b.Stdout, b.Stderr)
		}
	})
}

func TestNothingOfOneRunIsThereInTheNext(t *testing.T) {
	const program = `import os, sys, builtins
print(os.listdir("/room"), os.listdir("/tmp"), os.listdir("/dev/shm"), "LEFT" in os.environ or hasattr(builtins, "left") or hasattr(sys.modules["json"], "left"))
for d in ("/room", "/tmp", "/dev/shm"): open(d + "/left", "w").close()
import json
os.environ["LEFT"] = builtins.left = json.left = "1"
if os.fork() == 0:
    import time
    time.sleep(60)`
	variants(t, func(t *testing.T, r *subject) {
		s := python("import json\n" + program)
		for range 3 {
			expect(t, r, s, Exited, 0, "[] [] [] False")
		}
	})
}

// TestWhatAWarmUpUsedIsNotTheJobs burns more CPU time before the job than the job
// may use.
func TestWhatAWarmUpUsedIsNotTheJobs(t *testing.T) {
	for name, cfg := range map[string]Config{"default": {}, "watchdog": {NoCgroup: true}} {
		for _, forkServer := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " fork-server ", forkServer), func(t *testing.T) {
				s := python("while True:\n  pass")
				s.Limits.CPU, s.Limits.Wall = 300*time.Millisecond, 20*time.Second
				quick := python("print('quick')")
				quick.Limits = s.Limits
				w := warmUp(t, forkServer)
				burn := "import time\nwhile time.process_time() < 0.4: pass\n"
				w.Files[0].Content = append([]byte(burn), w.Files[0].Content...)
				pool := newPool(t, newRunner(t, cfg), PoolConfig{Size: 1})
				for _, step := range []*Step{&quick, &s} {
					step.Recurring, step.WarmUp, step.Processes[0].Warm = true, w, true
				}
				ready(t, pool, quick)
				p := expect(t, pool, quick, Exited, 0, "quick")
				if p.CPU > 200*time.Millisecond {
					t.Errorf("%s of CPU were charged", p.CPU)
				}
				ready(t, pool, s)
				if res := mustRun(t, pool, s); res.Outcome != TimedOut || res.Processes[0].CPU < s.Limits.CPU || res.Way == Cold {
					t.Errorf("%s on the way %s with %s of CPU", res.Outcome, res.Way, res.Processes[0].CPU)
				}
			})
		}
	}
}

func ready(t testing.TB, pool *Pool, s Step) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := pool.Prepare(ctx, s); err != nil {
		t.Fatal(err)
	}
}

// logged is a log that tests read.
type logged struct {
	sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.Write(p)
}

func (l *logged) text() string {
	l.Lock()
	defer l.Unlock()
	return l.String()
}

func TestAWarmUpThatDoesNotWorkIsLoggedOnceAndTheStepRuns(t *testing.T) {
	r := newRunner(t, Config{})
	r.warmPatience = 2 * time.Second
	for name, c := range map[string]struct{ script, says string }{
		"exits":           {"echo broken >&2; exit 3", "broken"},
		"closes stdout":   {"exec >&-; sleep 60", "before it was ready"},
		"says other":      {"echo hello; sleep 60", "hello"},
		"is not there":    {"", "no such file"},
		"does nothing":    {"sleep 60", "did not say"},
		"ends when ready": {"printf 'ready\\n'; exit 0", "ended before its job"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &logged{}
			pool := r.NewPool(PoolConfig{Size: 1, Logger: slog.New(slog.NewTextHandler(log, nil))})
			defer func() {
				if err := pool.Close(); err != nil {
					t.Error(err)
				}
			}()
			s := shell("echo ran")
			s.Recurring, s.Processes[0].Warm, s.WarmUp = true, true, &WarmUp{Argv: []string{"/bin/sh", "-c", c.script}}
			if c.script == "" {
				s.WarmUp.Argv = []string{"/usr/bin/no-such-program"}
			}
			expect(t, pool, s, Exited, 0, "ran")
			eventually(t, 30*time.Second, "the log says why", func() bool { return strings.Contains(log.text(), c.says) })
			for range 3 {
				expect(t, pool, s, Exited, 0, "ran")
			}
			if n := strings.Count(log.text(), "level=WARN"); n != 1 {
				t.Errorf("logged %d times:\n%s", n, log.text())
			}
		})
	}
}

func TestARoomThatDiesWhileItWaitsIsReplacedAndNeverUsed(t *testing.T) {
	for _, way := range []Way{Prepared, Warm, Forked} {
		t.Run(string(way), func(t *testing.T) {
			s := newSubject(t, Config{}, way)
			step := s.on(shell("echo ran"))
			for range 3 {
				ready(t, s.pool, step)
				s.pool.mu.Lock()
				for _, k := range s.pool.kinds {
					for _, set := range k.sets {
						set.rooms[0].kill()
					}
				}
				s.pool.mu.Unlock()
				expect(t, s.pool, step, Exited, 0, "ran")
			}
		})
	}
}

func TestAForkServerThatDiesIsReplaced(t *testing.T) {
	s := newSubject(t, Config{}, Forked)
	step := s.on(shell("echo ran"))
	ready(t, s.pool, step)
	s.pool.mu.Lock()
	for _, server := range s.pool.servers {
		server.zygote.room.kill()
	}
	s.pool.mu.Unlock()
	expect(t, s.pool, step, Exited, 0, "ran")
	eventually(t, 30*time.Second, "it is forked again", func() bool {
		return s.pool.Prepare(context.Background(), step) == nil && mustRun(t, s.pool, step).Way == Forked
	})
}

func TestStepsThatFindNoRoomWaitingAreForked(t *testing.T) {
	s := newSubject(t, Config{}, Forked)
	step := s.on(python("import time; time.sleep(0.5); print('ran')"))
	ready(t, s.pool, step)
	ways := make([]Way, 6)
	var all sync.WaitGroup
	for i := range ways {
		all.Go(func() {
			res, err := s.pool.Run(t.Context(), step)
			if err != nil || string(res.Processes[0].Stdout) != "ran\n" {
				t.Errorf("%+v, %v", res, err)
			}
			ways[i] = res.Way
		})
	}
	all.Wait()
	if slices.ContainsFunc(ways, func(w Way) bool { return w != Forked }) {
		t.Errorf("they went %v", ways)
	}
}

func TestARunThatLosesItsForkServerRunsAgain(t *testing.T) {
	s := newSubject(t, Config{}, Forked)
	step := s.on(python("import time; time.sleep(1); print('ran')"))
	ready(t, s.pool, step)
	time.AfterFunc(300*time.Millisecond, func() {
		s.pool.mu.Lock()
		defer s.pool.mu.Unlock()
		for _, server := range s.pool.servers {
			server.zygote.room.kill()
		}
	})
	expect(t, s.pool, step, Exited, 0, "ran")
}

func TestStepsGoOnWhenTheirPoolIsClosed(t *testing.T) {
	r := newRunner(t, Config{})
	pool := r.NewPool(PoolConfig{Size: 1})
	s := subject{Runner: r, t: t, way: Forked, pool: pool}
	step := s.on(python("import time; time.sleep(1); print('ran')"))
	ready(t, pool, step)
	time.AfterFunc(300*time.Millisecond, func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	if res := mustRun(t, pool, step); res.Way != Forked || string(res.Processes[0].Stdout) != "ran\n" {
		t.Errorf("%+v", res)
	}
	if len(r.slots) != r.cfg.Slots {
		t.Errorf("%d of %d slots are free", len(r.slots), r.cfg.Slots)
	}
}

func TestThePoolIsBoundedAndKeepsWhatWasUsedLast(t *testing.T) {
	pool := newPool(t, newRunner(t, Config{}), PoolConfig{Size: 2, MaxRooms: 3})
	one, two := shell("echo one"), shell("echo two")
	two.Runtimes = append(two.Runtimes, Mount{Source: "/usr/share", Target: "/opt/share", Optional: true})
	one.Recurring, two.Recurring = true, true
	ready(t, pool, one)
	expect(t, pool, two, Exited, 0, "two")
	ready(t, pool, two)
	if n := pool.Waiting(); n > 3 {
		t.Errorf("%d rooms wait", n)
	}
	if res := mustRun(t, pool, two); res.Way != Prepared {
		t.Errorf("the latest kind ran %s", res.Way)
	}
	pair := Step{Runtimes: System(), Recurring: true, Processes: []Process{
		{Role: "a", Argv: []string{"/bin/true"}, Channel: true}, {Role: "b", Argv: []string{"/bin/true"}, Channel: true}}}
	for range 5 {
		mustRun(t, pool, pair)
		if n := pool.Waiting(); n > 3 {
			t.Errorf("%d rooms wait", n)
		}
	}
}

func TestWhatIsNotUsedIsLetGo(t *testing.T) {
	r := newRunner(t, Config{})
	pool := newPool(t, r, PoolConfig{Size: 1, Idle: 300 * time.Millisecond})
	s := shell("echo ran")
	s.Recurring, s.WarmUp, s.Processes[0].Warm = true, warmUp(t, true), true
	mustRun(t, pool, s)
	eventually(t, 20*time.Second, "the pool empties", func() bool {
		pool.mu.Lock()
		defer pool.mu.Unlock()
		return len(pool.kinds) == 0 && len(pool.servers) == 0 && len(r.slots) == r.cfg.Slots
	})
}

func TestAWarmUpYieldsToStepsAndItsJobDoesNot(t *testing.T) {
	r := newRunner(t, Config{})
	if os.Geteuid() == 0 && r.cgroups != nil && !r.yields {
		t.Error("root can't change priorities here")
	}
	want := "0"
	if r.yields {
		want = "10"
	}
	s := python("import os; print(warmed, os.getpriority(os.PRIO_PROCESS, 0))")
	w := warmUp(t, false)
	w.Files[0].Content = append([]byte("import os, builtins\nbuiltins.warmed = os.getpriority(os.PRIO_PROCESS, 0)\n"), w.Files[0].Content...)
	s.Recurring, s.WarmUp, s.Processes[0].Warm = true, w, true
	pool := newPool(t, r, PoolConfig{Size: 1})
	ready(t, pool, s)
	expect(t, pool, s, Exited, 0, want+" 0")
}

func TestStepsThatDoNotRecurKeepNoRooms(t *testing.T) {
	pool := newPool(t, newRunner(t, Config{}), PoolConfig{})
	expect(t, pool, shell("echo ran"), Exited, 0, "ran")
	if n := len(pool.kinds); n != 0 {
		t.Errorf("%d kinds are kept", n)
	}
}

func TestAClosedPoolStillRunsSteps(t *testing.T) {
	r := newRunner(t, Config{})
	pool := r.NewPool(PoolConfig{})
	s := shell("echo ran")
	s.Recurring = true
	ready(t, pool, s)
	for range 2 {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
		expect(t, pool, s, Exited, 0, "ran")
	}
	if err := pool.Prepare(context.Background(), s); err == nil || len(r.slots) != r.cfg.Slots {
		t.Errorf("%v, %d of %d slots are free", err, len(r.slots), r.cfg.Slots)
	}
}

func TestManyStepsShareAPool(t *testing.T) {
	r := newRunner(t, Config{Slots: 6})
	pool := newPool(t, r, PoolConfig{Size: 2})
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			s := python(fmt.Sprintf("print(%d)", i))
			s.Recurring = true
			if i%2 == 0 {
				s.WarmUp, s.Processes[0].Warm = warmUp(t, i%4 == 0), true
			}
			res, err := pool.Run(context.Background(), s)
			if err != nil || strings.TrimSpace(string(res.Processes[0].Stdout)) != fmt.Sprint(i) {
				t.Errorf("%d: %+v, %v", i, res, err)
			}
		})
	}
	all.Wait()
}

func TestNothingIsLeftAfterAPoolIsClosed(t *testing.T) {
	r := newRunner(t, Config{})
	use := func() {
		pool := r.NewPool(PoolConfig{Size: 2})
		for _, forkServer := range []bool{false, true} {
			for _, s := range []Step{shell("echo hi"), hostile("left-mark-pool"), shell("sleep 60")} {
				s.Limits.Wall = 200 * time.Millisecond
				s.Recurring, s.WarmUp, s.Processes[0].Warm = true, warmUp(t, forkServer), true
				ready(t, pool, s)
				_, _ = pool.Run(context.Background(), s)
				s.Processes[0].Warm = false
				_, _ = pool.Run(context.Background(), s)
			}
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
	use() // opens what the process keeps for itself
	before := holdings(t, r)
	for range 2 {
		use()
	}
	after := holdings(t, r)
	for what, n := range before {
		if after[what] > n {
			t.Errorf("%s: %d before, %d after", what, n, after[what])
		}
	}
	if left := alive(t, "left-mark-pool"); len(left) > 0 {
		t.Errorf("still there: %q", left)
	}
	if len(r.slots) != r.cfg.Slots {
		t.Errorf("%d of %d slots are free", len(r.slots), r.cfg.Slots)
	}
}
