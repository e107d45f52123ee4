//go:build linux && (amd64 || arm64)

package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// warmProgram is a warm-up program that becomes what it is told: a Python
// program in its own interpreter, anything else by executing it.
const warmProgram = `import sys
sys.path.insert(0, "/warm")
import dataclasses, decimal, json, os, random, signal, unittest, forkserver
sys.path.remove("/warm")
line = forkserver.ready()
if not line:
    os._exit(0)
job = json.loads(line)
os.environ.clear()
os.environ.update(job["env"])
os.chdir(job["dir"])
argv = job["argv"]
# What a test looks for by its command line must be executed.
if argv[:4] == ["/usr/bin/python3", "-I", "-S", "-c"] and "-mark-" not in argv[4]:
    sys.argv = argv[3:]
    code = 0
    try:
        exec(compile(argv[4], "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 0 if e.code is None else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    forkserver.leave(code)
else:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvpe(argv[0], argv, os.environ)
`

// forkServerClient is what plugins ship to serve the protocols.
const forkServerClient = "../plugins/validator-python/py/tracker_judge/forkserver.py"

// warmUp is what test steps on the warm paths have.
func warmUp(t testing.TB, forkServer bool) *WarmUp {
	t.Helper()
	client, err := os.ReadFile(filepath.FromSlash(forkServerClient))
	if err != nil {
		t.Fatal(err)
	}
	return &WarmUp{Argv: []string{"/usr/bin/python3", "-I", "-S", "main.py"}, ForkServer: forkServer, Files: []File{
		{Path: "main.py", Content: []byte(warmProgram)}, {Path: "forkserver.py", Content: client},
	}}
}

// subject runs steps on one way, and only on that: what a test says of it, it
// says of that way.
type subject struct {
	*Runner
	t    testing.TB
	way  Way
	pool *Pool
}

func newSubject(t testing.TB, cfg Config, way Way) *subject {
	t.Helper()
	s := &subject{Runner: newRunner(t, cfg), t: t, way: way}
	if way != Cold {
		s.pool = newPool(t, s.Runner, PoolConfig{Size: 1})
	}
	return s
}

func newPool(t testing.TB, r *Runner, cfg PoolConfig) *Pool {
	t.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(testLog{t}, nil))
	pool := r.NewPool(cfg)
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	return pool
}

type testLog struct{ t testing.TB }

func (l testLog) Write(text []byte) (int, error) {
	l.t.Logf("pool: %s", text)
	return len(text), nil
}

// on makes a step one of the kind that takes the way.
func (s *subject) on(step Step) Step {
	step.Recurring = s.way != Cold
	if s.way == Warm || s.way == Forked {
		step.WarmUp = warmUp(s.t, s.way == Forked)
		processes := append([]Process(nil), step.Processes...)
		for i := range processes {
			processes[i].Warm = true
		}
		step.Processes = processes
	}
	return step
}

// Run takes the subject's way or fails.
func (s *subject) Run(ctx context.Context, step Step) (Result, error) {
	s.t.Helper()
	if s.way == Cold {
		return s.Runner.Run(ctx, step)
	}
	step = s.on(step)
	usual := step
	usual.Limits, usual.Processes = Limits{}, append([]Process(nil), step.Processes...)
	for i := range usual.Processes {
		usual.Processes[i].Limits = Limits{}
	}
	waiting, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	// The rooms wait with the usual limits, so that those of the step are set when
	// it comes.
	if err := s.pool.Prepare(waiting, usual); err != nil {
		s.t.Errorf("prepare %s: %v", s.way, err)
	}
	res, err := s.pool.Run(ctx, step)
	if err == nil && res.Way != s.way {
		s.t.Errorf("it ran %s, not %s", res.Way, s.way)
	}
	return res, err
}

// variant is a way to confine, and a way to begin.
type variant struct {
	name string
	cfg  Config
	way  Way
}

// allVariants are those of this machine and user.
func allVariants() []variant {
	var all []variant
	for _, way := range []Way{Cold, Prepared, Warm, Forked} {
		all = append(all, variant{string(way) + ", default", Config{}, way}, variant{string(way) + ", watchdog", Config{NoCgroup: true}, way})
		// Without user namespaces there is nothing to fork into.
		if os.Geteuid() == 0 && way != Forked {
			all = append(all, variant{string(way) + ", no user namespace", Config{NoUserNamespace: true}, way})
		}
	}
	return all
}

// variants are the ways in which this machine and user can confine and begin;
// each attack must fail in all of them.
func variants(t *testing.T, test func(t *testing.T, s *subject)) {
	t.Helper()
	for i, v := range allVariants() {
		// Without user namespaces processes are counted by the host's user ids.
		v.cfg.FirstUID = defaultFirstUID + i*defaultSlots
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			test(t, lent(t, v))
		})
	}
}

// shared are subjects that serve one attack after another, as a server does.
var shared = struct {
	sync.Mutex
	subjects map[string]*subject
}{subjects: map[string]*subject{}}

// lent is a variant's shared subject.
func lent(t *testing.T, v variant) *subject {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	s := shared.subjects[v.name]
	if s == nil {
		s = &subject{Runner: newRunner(t, v.cfg), way: v.way}
		if v.way != Cold {
			s.pool = s.NewPool(PoolConfig{Size: 1, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
		}
		shared.subjects[v.name] = s
	}
	mine := *s
	mine.t = t
	return &mine
}

// returnShared closes the shared pools after all tests and says what is wrong.
func returnShared() error {
	var errs []error
	for _, s := range shared.subjects {
		if s.pool != nil {
			errs = append(errs, s.pool.Close())
		}
	}
	return errors.Join(errs...)
}
