// Package steprun runs a plugin's steps in the sandbox. The server and the test
// kit use the same code, so that what an author tests is what learners get.
//
// It owns the way from the protocol's steps to the sandbox's, which of them a
// warm-up program may serve, the caps on what a plugin may ask for, and the
// check of a plugin's runtimes. It is not a test package, though it lies beside
// one.
package steprun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Runner is what executes a step: a *sandbox.Runner, which builds rooms for each
// one, or a *sandbox.Pool, which has some waiting and serves processes that are
// Warm by the runtime's warm-up program.
type Runner interface {
	Run(ctx context.Context, step sandbox.Step) (sandbox.Result, error)
}

// Executor is a judging.Executor on a sandbox.
type Executor struct {
	runner Runner
	cap    judging.Limits
}

var _ judging.Executor = (*Executor)(nil)

// MaxLimits is what a step may ask for at the most unless New is told otherwise.
func MaxLimits() judging.Limits {
	return judging.Limits{
		Wall: 60 * time.Second, CPU: 60 * time.Second, MemoryBytes: 1 << 30, OutputBytes: 8 << 20,
		DiskBytes: 256 << 20, Processes: 256, OpenFiles: 1024,
	}
}

// New returns an executor. Zero fields of most take MaxLimits.
func New(runner Runner, most judging.Limits) *Executor {
	return &Executor{runner: runner, cap: pick(most, MaxLimits())}
}

func pick(l, d judging.Limits) judging.Limits {
	return judging.Limits{
		Wall: or(l.Wall, d.Wall), CPU: or(l.CPU, d.CPU), MemoryBytes: or(l.MemoryBytes, d.MemoryBytes),
		OutputBytes: or(l.OutputBytes, d.OutputBytes), DiskBytes: or(l.DiskBytes, d.DiskBytes),
		Processes: or(l.Processes, d.Processes), OpenFiles: or(l.OpenFiles, d.OpenFiles),
	}
}

func or[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// Execute implements judging.Executor.
func (e *Executor) Execute(ctx context.Context, desc *judging.Description, step *judging.Step) (*judging.StepResult, error) {
	rt := desc.Runtime(step.Runtime)
	if rt == nil {
		return nil, fmt.Errorf("runtime %q is not declared by %s", step.Runtime, desc.Name)
	}
	s := sandbox.Step{Name: step.ID, Runtimes: mounts(rt), Limits: e.limits(step.Limits), Recurring: true, WarmUp: warmUp(rt)}
	for i := range step.Processes {
		s.Processes = append(s.Processes, process(&step.Processes[i], rt))
	}
	res, err := e.runner.Run(ctx, s)
	var start *sandbox.StartError
	if errors.As(err, &start) && madeByLearner(start.Path) {
		return notStarted(step, start), nil
	}
	if err != nil {
		return nil, err
	}
	out := &judging.StepResult{StepID: step.ID, Outcome: outcome(res.Outcome, 0), Wall: res.Run}
	for _, p := range res.Processes {
		out.Processes = append(out.Processes, result(&p))
		if out.Outcome == judging.OutcomeExited && p.Signal != 0 {
			out.Outcome = judging.OutcomeKilled
		}
	}
	return out, nil
}

func mounts(rt *judging.Runtime) []sandbox.Mount {
	out := make([]sandbox.Mount, len(rt.Mounts))
	for i, m := range rt.Mounts {
		out[i] = sandbox.Mount{Source: m.Source, Target: m.Target, Optional: m.Optional}
	}
	return out
}

// warmUp has no program, but all files, where only empty rooms can wait: that,
// too, for protocols of plugins that are newer than this.
func warmUp(rt *judging.Runtime) *sandbox.WarmUp {
	w := rt.WarmUp
	if w == nil {
		return nil
	}
	out := &sandbox.WarmUp{Env: environ(rt.Env)}
	if w.Protocol == judging.WarmOnce || w.Protocol == judging.WarmForkServer {
		out.Argv, out.ForkServer = w.Argv, w.Protocol == judging.WarmForkServer
	}
	for _, f := range w.Files {
		out.Files = append(out.Files, sandbox.File{Path: f.Path, Content: f.Content, Executable: f.Executable})
	}
	return out
}

func process(p *judging.Process, rt *judging.Runtime) sandbox.Process {
	out := sandbox.Process{
		Role: p.Role, Argv: p.Argv, Dir: p.Dir, Stdin: p.Stdin, Collect: p.Collect, Channel: p.Channel, Warm: p.Warm,
		Env: append(environ(rt.Env), environ(p.Env)...),
	}
	for _, f := range p.Files {
		out.Files = append(out.Files, sandbox.File{Path: f.Path, Content: f.Content, ReadOnly: !f.Writable, Executable: f.Executable, ExecuteOnly: f.ExecuteOnly})
	}
	return out
}

// environ is sorted, as a pool knows rooms again by what they were built for.
func environ(env map[string]string) []string {
	out := make([]string, 0, len(env))
	for k, v := range env {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

// limits caps what the step asks for; what it leaves open takes the sandbox's
// defaults, which the cap may lower too.
func (e *Executor) limits(l judging.Limits) sandbox.Limits {
	l = pick(l, defaults())
	c := e.cap
	memory := min(l.MemoryBytes, c.MemoryBytes)
	disk := min(l.DiskBytes, c.DiskBytes)
	return sandbox.Limits{
		Wall: min(l.Wall, c.Wall), CPU: min(l.CPU, c.CPU), Memory: int64(memory), Output: int64(min(l.OutputBytes, c.OutputBytes)),
		Disk: int64(disk), FileSize: int64(disk), Processes: int(min(l.Processes, c.Processes)), OpenFiles: int(min(l.OpenFiles, c.OpenFiles)),
		// Compilers leave programs behind; those of a step must fit into one
		// message to the plugin.
		Collect: int64(max(4<<20, disk/10)),
	}
}

func defaults() judging.Limits {
	d := sandbox.DefaultLimits()
	return judging.Limits{
		Wall: d.Wall, CPU: d.CPU, MemoryBytes: uint64(d.Memory), OutputBytes: uint64(d.Output), DiskBytes: uint64(d.Disk),
		Processes: uint32(d.Processes), OpenFiles: uint32(d.OpenFiles),
	}
}

// madeByLearner says whether a program that would not start is the submission's
// or what was built from it, and not the platform's.
func madeByLearner(program string) bool {
	return strings.HasPrefix(program, sandbox.WorkDir+"/") || !strings.HasPrefix(program, "/") && strings.Contains(program, "/")
}

// notStarted is what a shell would report.
func notStarted(step *judging.Step, err *sandbox.StartError) *judging.StepResult {
	out := &judging.StepResult{StepID: step.ID, Outcome: judging.OutcomeExited}
	for _, p := range step.Processes {
		r := judging.ProcessResult{Role: p.Role, Outcome: judging.OutcomeExited, ExitCode: 126}
		if err.Role == "" || err.Role == p.Role {
			r.Stderr = []byte(err.Error() + "\n")
		}
		out.Processes = append(out.Processes, r)
	}
	return out
}

func outcome(o sandbox.Outcome, signal int) judging.Outcome {
	switch o {
	case sandbox.TimedOut:
		return judging.OutcomeTimedOut
	case sandbox.OutOfMemory:
		return judging.OutcomeOutOfMemory
	case sandbox.OutputLimit:
		return judging.OutcomeOutputLimit
	case sandbox.Killed:
		return judging.OutcomeKilled
	case sandbox.Exited: // by itself or by a signal
	}
	if signal != 0 {
		return judging.OutcomeKilled
	}
	return judging.OutcomeExited
}

func result(p *sandbox.ProcessResult) judging.ProcessResult {
	out := judging.ProcessResult{
		Role: p.Role, Outcome: outcome(p.Outcome, p.Signal), ExitCode: p.ExitCode, Signal: p.Signal,
		Stdout: p.Stdout, Stderr: p.Stderr, Truncated: p.Truncated,
		CPU: p.CPU, MaxRSSBytes: uint64(max(p.MaxRSS, 0)), CollectedTruncated: p.FilesTruncated,
	}
	for _, f := range p.Files {
		out.Collected = append(out.Collected, judging.File{Path: f.Path, Content: f.Content, Writable: !f.ReadOnly, Executable: f.Executable})
	}
	return out
}
