package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// waitsFirst has every step served by the warm-up program.
type waitsFirst struct {
	t    *testing.T
	pool *sandbox.Pool
}

// Run implements steprun.Runner.
func (w waitsFirst) Run(ctx context.Context, step sandbox.Step) (sandbox.Result, error) {
	if err := w.pool.Prepare(ctx, step); err != nil {
		w.t.Errorf("step %s: %v", step.Name, err)
	}
	res, err := w.pool.Run(ctx, step)
	if err == nil && res.Way != sandbox.Warm {
		w.t.Errorf("step %s ran %s", step.Name, res.Way)
	}
	return res, err
}

func TestTheWarmUpProgramGivesTheReportsOfProcessesStartedForTheRun(t *testing.T) {
	if _, err := readCompiler(); err != nil {
		t.Skip(err)
	}
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
	judge := validatortest.Connect(t, spec)
	desc, err := judge.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cold, warm := steprun.New(runner, judging.Limits{}), steprun.New(waitsFirst{t, pool}, judging.Limits{})
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	typed, err := filepath.Glob("testdata/typescript/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	cases = append(cases, typed...)
	for _, path := range cases {
		if os.Getenv("TRACKER_TEST_FULL") == "" && !strings.Contains(path, "honest") && !strings.Contains(path, "reads_tests") {
			continue
		}
		c, err := validatortest.ReadCase(path, "javascript")
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			req := &judging.PlanRequest{Submission: c.Submission, Task: c.Task, Nonce: "n"}
			want, _, wantErr := judging.Run(t.Context(), judge, desc, cold, req, nil)
			got, _, gotErr := judging.Run(t.Context(), judge, desc, warm, req, nil)
			if (wantErr == nil) != (gotErr == nil) || wantErr != nil && wantErr.Error() != gotErr.Error() {
				t.Fatalf("warm: %v, cold: %v", gotErr, wantErr)
			}
			if d := cmp.Diff(want, got, cmpopts.IgnoreFields(judging.Test{}, "Duration")); d != "" {
				t.Errorf("-cold +warm\n%s", d)
			}
		})
	}
}
