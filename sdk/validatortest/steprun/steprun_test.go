package steprun

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

func TestMain(m *testing.M) {
	sandbox.Init()
	m.Run()
}

var desc = &judging.Description{Name: "p", Runtimes: []judging.Runtime{{
	ID: "sh", Programs: []string{"/bin/sh"}, VersionArgv: []string{"/bin/sh", "-c", "echo; echo shell 1; echo more"}, Env: map[string]string{"A": "runtime", "B": "runtime"},
	Mounts: []judging.Mount{{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true}},
}}}

func executor(t *testing.T, most judging.Limits) *Executor {
	t.Helper()
	r, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return New(r, most)
}

func shell(script string) *judging.Step {
	return &judging.Step{ID: "s", Runtime: "sh", Processes: []judging.Process{{Role: "main", Argv: []string{"/bin/sh", "-c", script}}}}
}

func TestAStepReachesTheSandboxAndItsResultComesBack(t *testing.T) {
	s := shell(`cat; echo "$A $B" >&2; cat in/a.txt > out.txt; (echo no > in/a.txt) 2>/dev/null || echo kept >> out.txt; exit 3`)
	p := &s.Processes[0]
	p.Stdin, p.Env, p.Collect = []byte("typed"), map[string]string{"B": "process"}, []string{"*.txt"}
	p.Files = []judging.File{{Path: "in/a.txt", Content: []byte("given\n")}}
	res, err := executor(t, judging.Limits{}).Execute(t.Context(), desc, s)
	if err != nil {
		t.Fatal(err)
	}
	main := res.Process("main")
	if res.Outcome != judging.OutcomeExited || main.ExitCode != 3 || string(main.Stdout) != "typed" || string(main.Stderr) != "runtime process\n" {
		t.Errorf("%+v", res)
	}
	if f := main.File("out.txt"); f == nil || string(f.Content) != "given\nkept\n" {
		t.Errorf("collected: %+v", main.Collected)
	}
}

func TestLimitsAreCappedWhateverAPluginAsks(t *testing.T) {
	s := shell("sleep 30")
	s.Limits.Wall = time.Hour
	began := time.Now()
	res, err := executor(t, judging.Limits{Wall: 300 * time.Millisecond}).Execute(t.Context(), desc, s)
	if err != nil || res.Outcome != judging.OutcomeTimedOut || time.Since(began) > 5*time.Second {
		t.Fatalf("after %s: %+v, %v", time.Since(began), res, err)
	}
}

func TestAProgramOfTheLearnersThatCanNotStartIsAResultAndAMissingOneOfThePlatformAnError(t *testing.T) {
	e := executor(t, judging.Limits{})
	s := shell("")
	s.Processes[0].Argv = []string{"./program"}
	s.Processes[0].Files = []judging.File{{Path: "program", Content: []byte("\x7fELF no"), Executable: true}}
	res, err := e.Execute(t.Context(), desc, s)
	if err != nil || res.Process("main").ExitCode != 126 || len(res.Process("main").Stderr) == 0 {
		t.Errorf("%+v, %v", res, err)
	}
	s.Processes[0].Argv = []string{"/usr/bin/no-such-compiler"}
	if res, err := e.Execute(t.Context(), desc, s); err == nil {
		t.Errorf("%+v", res)
	}
}

func TestASignalIsKilledAndTwoProcessesKeepTheirRoles(t *testing.T) {
	e := executor(t, judging.Limits{})
	res, err := e.Execute(t.Context(), desc, shell("kill -SEGV $$"))
	if err != nil || res.Outcome != judging.OutcomeKilled || res.Process("main").Signal != 11 {
		t.Errorf("%+v, %v", res, err)
	}
	s := &judging.Step{ID: "two", Runtime: "sh", Processes: []judging.Process{
		{Role: "tests", Argv: []string{"/bin/sh", "-c", "read x <&3; echo got $x"}, Channel: true},
		{Role: "submission", Argv: []string{"/bin/sh", "-c", "echo hello >&3"}, Channel: true},
	}}
	if res, err = e.Execute(t.Context(), desc, s); err != nil || string(res.Process("tests").Stdout) != "got hello\n" {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestToolchainsNameTheirVersionOrWhatIsMissing(t *testing.T) {
	d := *desc
	d.Runtimes = append([]judging.Runtime{{ID: "gone", Programs: []string{"no-such-program"}}}, desc.Runtimes...)
	versions, err := executor(t, judging.Limits{}).Toolchain(t.Context(), &d)
	if err == nil || !strings.Contains(err.Error(), "runtime gone of p: no-such-program is not installed") {
		t.Error(err)
	}
	if len(versions) != 1 || versions["sh"] != "shell 1" {
		t.Errorf("%v", versions)
	}
}

func TestAPlatformThatFailsIsAnError(t *testing.T) {
	e := New(failing{}, judging.Limits{})
	if res, err := e.Execute(t.Context(), desc, shell("true")); !errors.Is(err, errPlatform) {
		t.Errorf("%+v, %v", res, err)
	}
}

var errPlatform = errors.New("out of order")

type failing struct{}

func (failing) Run(context.Context, sandbox.Step) (sandbox.Result, error) {
	return sandbox.Result{}, errPlatform
}

func TestWarmProcessesAreServedByTheWarmUpProgramAndOthersAreNot(t *testing.T) {
	const program = `printf 'ready\n'; read -r line || exit 0; cd /room; echo "$A served ${line#*argv}"; cat`
	warmed := *desc
	rt := desc.Runtimes[0]
	rt.WarmUp = &judging.WarmUp{Protocol: judging.WarmOnce, Argv: []string{"/bin/sh", "serve.sh"}, Files: []judging.File{{Path: "serve.sh", Content: []byte(program)}}}
	warmed.Runtimes = []judging.Runtime{rt}
	runner, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pool := runner.NewPool(sandbox.PoolConfig{Size: 1})
	t.Cleanup(func() {
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
	s := shell("echo executed; cat")
	s.Processes[0].Stdin = []byte("typed\n")
	run := func(runner Runner, warm bool, want string) {
		t.Helper()
		s.Processes[0].Warm = warm
		res, err := New(runner, judging.Limits{}).Execute(t.Context(), &warmed, s)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(res.Process("main").Stdout); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "typed\n") {
			t.Errorf("printed %q: %s", got, res.Process("main").Stderr)
		}
	}
	run(waitsFirst{t, pool, sandbox.Warm}, true, `runtime served ":["/bin/sh","-c","echo executed; cat"]`)
	run(waitsFirst{t, pool, sandbox.Prepared}, false, "executed\n")
	run(runner, true, "executed\n")
	rt.WarmUp.Protocol = "warm/9"
	run(waitsFirst{t, pool, sandbox.Prepared}, true, "executed\n")
}

// waitsFirst has rooms waiting before it runs a step.
type waitsFirst struct {
	t    *testing.T
	pool *sandbox.Pool
	want sandbox.Way
}

func (w waitsFirst) Run(ctx context.Context, step sandbox.Step) (sandbox.Result, error) {
	if err := w.pool.Prepare(ctx, step); err != nil {
		w.t.Error(err)
	}
	res, err := w.pool.Run(ctx, step)
	if err == nil && res.Way != w.want {
		w.t.Errorf("it ran %s, not %s", res.Way, w.want)
	}
	return res, err
}
