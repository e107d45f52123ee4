package main

import (
	"bytes"
	"context"
	"encoding/json"
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

// handOver serves processes that say Warm by the runtime's warm-up program, in a
// room of its own for each: what a pool does, without having begun beforehand.
type handOver struct {
	runner steprun.Runner
	dir    string // has a folder for each runtime, shown as /warm
}

// Run implements steprun.Runner.
func (h handOver) Run(ctx context.Context, step sandbox.Step) (sandbox.Result, error) {
	rt := &spec.Runtimes[0]
	if step.Name == "compile" {
		rt = &spec.Runtimes[1]
	}
	step.Runtimes = append(step.Runtimes, sandbox.Mount{Source: filepath.Join(h.dir, rt.ID), Target: "/warm"})
	for i := range step.Processes {
		p := &step.Processes[i]
		env := map[string]string{}
		for _, e := range append(sandbox.BaseEnv(), p.Env...) {
			k, v, _ := strings.Cut(e, "=")
			env[k] = v
		}
		line, err := json.Marshal(map[string]any{"argv": p.Argv, "env": env, "dir": sandbox.WorkDir})
		if err != nil {
			return sandbox.Result{}, err
		}
		p.Argv, p.Dir = rt.WarmUp.Argv, "/warm"
		p.Stdin = append(append(line, '\n'), p.Stdin...)
	}
	res, err := h.runner.Run(ctx, step)
	for i := range res.Processes {
		out, ready := bytes.CutPrefix(res.Processes[i].Stdout, []byte("ready\n"))
		if !ready && res.Outcome == sandbox.Exited {
			panic("the warm-up program did not say that it is ready: " + string(res.Processes[i].Stdout) + string(res.Processes[i].Stderr))
		}
		res.Processes[i].Stdout = out
	}
	return res, err
}

func TestTheWarmUpProgramGivesTheReportsOfProcessesStartedForTheRun(t *testing.T) {
	dir := t.TempDir()
	for _, rt := range spec.Runtimes {
		if rt.WarmUp == nil {
			t.Skip("this build carries no TypeScript compiler: run toolchain/install")
		}
		for _, f := range rt.WarmUp.Files {
			name := filepath.Join(dir, rt.ID, f.Path)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, f.Content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	runner, err := sandbox.New(sandbox.Config{RuntimeRoots: append(sandbox.DefaultRuntimeRoots(), dir)})
	if err != nil {
		t.Fatal(err)
	}
	judge := validatortest.Connect(t, spec)
	desc, err := judge.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cold, warm := steprun.New(runner, judging.Limits{}), steprun.New(handOver{runner, dir}, judging.Limits{})
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
