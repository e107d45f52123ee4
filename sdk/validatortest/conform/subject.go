package conform

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// callTimeout bounds each call of a plugin under test, runTimeout a whole run.
const (
	callTimeout = 30 * time.Second
	runTimeout  = 3 * time.Minute
)

// Subject is a validator under test with what it needs to run.
type Subject struct {
	judge     judging.Judge
	desc      *judging.Description
	exec      judging.Executor
	toolchain map[string]string

	mu      sync.Mutex
	outside map[string]bool // what reports pointed to that is not there
}

// machine is the sandbox of this process.
var machine struct {
	once   sync.Once
	runner *sandbox.Runner
	err    error
}

// Open asks a validator what it is and prepares to run its steps.
func Open(ctx context.Context, judge judging.Judge) (*Subject, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	desc, err := judge.Describe(ctx)
	if err == nil {
		err = judging.CheckDescription(desc)
	}
	if err != nil {
		return nil, fmt.Errorf("describe: %w", err)
	}
	s := &Subject{judge: judge, desc: desc, exec: noSteps{}, outside: map[string]bool{}}
	for _, l := range desc.Languages {
		if len(l.Extensions) == 0 || l.DefaultFile == "" {
			return nil, fmt.Errorf("describe: language %q needs an extension and a default file", l.Name)
		}
	}
	if len(desc.Runtimes) == 0 {
		return s, nil
	}
	machine.once.Do(func() { machine.runner, machine.err = sandbox.New(sandbox.Config{}) })
	if machine.err != nil {
		return nil, fmt.Errorf("this machine can't run steps: %w", machine.err)
	}
	ex := steprun.New(machine.runner, judging.Limits{})
	s.exec = ex
	s.toolchain, err = ex.Toolchain(ctx, desc)
	return s, err
}

// Description is what the validator says of itself.
func (s *Subject) Description() *judging.Description { return s.desc }

func (s *Subject) run(ctx context.Context, sub judging.Submission, task judging.Task) (*judging.Report, []judging.StepResult, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	return judging.Run(ctx, watched{s.judge, s}, s.desc, s.exec, s.request(sub, task), nil)
}

// request leaves a task without a limit on time as much as there may be, so that
// a busy machine changes no report. A program that spins meets the limit on CPU.
func (s *Subject) request(sub judging.Submission, task judging.Task) *judging.PlanRequest {
	if task.Limits.Wall == 0 {
		task.Limits.Wall = steprun.MaxLimits().Wall
	}
	return &judging.PlanRequest{Submission: sub, Task: task, Toolchain: s.toolchain, Nonce: rand.Text()}
}

// watched sees reports before the host's checks have mended them.
type watched struct {
	anyJudge
	s *Subject
}

type anyJudge = judging.Judge

// Judge implements judging.Judge.
func (w watched) Judge(ctx context.Context, req *judging.JudgeRequest) (*judging.Decision, error) {
	d, err := w.anyJudge.Judge(ctx, req)
	if err == nil && d.Report != nil {
		w.s.noteOutside(d.Report, &req.Submission)
	}
	return d, err
}

// lines counts as editors do: a carriage return alone ends a line, too.
func lines(s string) int {
	return strings.Count(s, "\n") + strings.Count(s, "\r") - strings.Count(s, "\r\n") + 1
}

// noteOutside remembers places that are not in the submission.
func (s *Subject) noteOutside(r *judging.Report, sub *judging.Submission) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range r.Findings {
		file := sub.File(f.File)
		switch {
		case f.File == "" && f.Line == 0:
		case file == nil:
			s.outside[fmt.Sprintf("finding %s is in %q, which is not a file of the submission", f.Rule, f.File)] = true
		case f.Line < 0 || f.Line > lines(string(file.Content)):
			s.outside[fmt.Sprintf("finding %s is at %s:%d, and the file has no such line", f.Rule, f.File, f.Line)] = true
		case f.EndLine != 0 && f.EndLine < f.Line, f.Column < 0:
			s.outside[fmt.Sprintf("finding %s is at %s:%d:%d to line %d, which is no place", f.Rule, f.File, f.Line, f.Column, f.EndLine)] = true
		}
	}
	if !utf8.ValidString(r.Output) {
		s.outside["the output of a report is not valid UTF-8"] = true
	}
}

// noSteps is the executor of plugins that declare no runtime; their steps are
// refused before they reach it.
type noSteps struct{}

func (noSteps) Execute(context.Context, *judging.Description, *judging.Step) (*judging.StepResult, error) {
	return nil, errors.New("a step without a runtime")
}
