package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// single is a host that can't keep two processes of a step apart.
type single struct{ *sandbox.Runner }

func (s single) Run(ctx context.Context, step sandbox.Step) (sandbox.Result, error) {
	if len(step.Processes) > 1 {
		return sandbox.Result{}, sandbox.ErrOneProcess
	}
	return s.Runner.Run(ctx, step)
}

func TestAHostWithOneProcessForAStepIsServedAndToldTheIntegrity(t *testing.T) {
	runner, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	judge := validatortest.Connect(t, spec)
	desc, err := judge.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cases, err := filepath.Glob("testdata/forged_control_honest.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range cases {
		c, err := validatortest.ReadCase(path, "javascript")
		if err != nil {
			t.Fatal(err)
		}
		req := &judging.PlanRequest{Submission: c.Submission, Task: c.Task, Nonce: "n", OneProcess: true}
		req.Task.RequiredIntegrity = ""
		r, _, err := judging.Run(t.Context(), judge, desc, steprun.New(single{runner}, judging.Limits{}), req, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if r.Verdict != judging.VerdictPassed || r.Integrity != judging.IntegrityShared || len(r.Tests) == 0 {
			t.Errorf("%s: %s, %s, %d tests: %s", path, r.Verdict, r.Integrity, len(r.Tests), r.Summary.In("en"))
		}
		req.Task.RequiredIntegrity = judging.IntegritySplit
		if r, _, err = judging.Run(t.Context(), judge, desc, steprun.New(single{runner}, judging.Limits{}), req, nil); err == nil {
			t.Errorf("%s, where split is required: %s", path, r.Verdict)
		}
	}
}
