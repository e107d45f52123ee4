package validatortest

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
	"github.com/goals-tracker/tracker/sdk/validator"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// The first process of a sandbox is the test binary itself, started again:
// this takes over in it, so that authors need no TestMain.
func init() { sandbox.Init() }

// callTimeout bounds each call of a plugin under test.
const callTimeout = 30 * time.Second

// Connect serves a spec in this process and returns a client on it.
func Connect(t testing.TB, spec *validator.Spec) judging.Judge {
	t.Helper()
	judge, err := validator.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	conn, stop, err := pluginproto.InProcess(func(s *grpc.Server) { validatorrpc.Register(s, judge) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return validatorrpc.NewClient(conn, "validatortest")
}

// machine is the sandbox of the test process and the toolchains seen in it.
var machine struct {
	once   sync.Once
	runner *sandbox.Runner
	err    error
}

func newExecutor(t testing.TB) *steprun.Executor {
	t.Helper()
	machine.once.Do(func() { machine.runner, machine.err = sandbox.New(sandbox.Config{}) })
	if machine.err != nil {
		t.Fatalf("this machine can't run steps: %v", machine.err)
	}
	return steprun.New(machine.runner, judging.Limits{})
}

// subject is a judge under test with what it needs to run.
type subject struct {
	judge     judging.Judge
	desc      *judging.Description
	exec      judging.Executor
	toolchain map[string]string
}

func open(t testing.TB, judge judging.Judge) *subject {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
	defer cancel()
	desc, err := judge.Describe(ctx)
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	if err := judging.CheckDescription(desc); err != nil {
		t.Fatalf("describe: %v", err)
	}
	p := &subject{judge: judge, desc: desc}
	if len(desc.Runtimes) == 0 {
		p.exec = noSteps{}
		return p
	}
	ex := newExecutor(t)
	p.exec = ex
	if p.toolchain, err = ex.Toolchain(ctx, desc); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *subject) run(ctx context.Context, sub judging.Submission, task judging.Task) (*judging.Report, []judging.StepResult, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	return judging.Run(ctx, p.judge, p.desc, p.exec, &judging.PlanRequest{
		Submission: sub, Task: task, Toolchain: p.toolchain, Nonce: rand.Text(),
	}, nil)
}

// noSteps is the executor of plugins that declare no runtime; their steps are
// refused before they reach it.
type noSteps struct{}

func (noSteps) Execute(context.Context, *judging.Description, *judging.Step) (*judging.StepResult, error) {
	panic("a step without a runtime")
}
