package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// TestEvalATrackOfExercisesIsJudgedRight takes a checkout of an Exercism track
// (exercism/python) in TRACKER_TRACK_PYTHON:
// reference solutions must pass, stubs must not. With TRACKER_TRACK_WARM set, the
// warm-up program judges.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	root := os.Getenv("TRACKER_TRACK_PYTHON")
	if root == "" {
		t.Skip("TRACKER_TRACK_PYTHON names no checkout of a track")
	}
	configs, err := filepath.Glob(filepath.Join(root, "exercises/*/*/.meta/config.json"))
	if err != nil || len(configs) == 0 {
		t.Fatalf("no exercises in %s: %v", root, err)
	}
	runner, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	judge := validatortest.Connect(t, spec)
	desc, err := judge.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exec := steprun.New(runner, judging.Limits{})
	if os.Getenv("TRACKER_TRACK_WARM") != "" {
		pool := runner.NewPool(sandbox.PoolConfig{Size: 1})
		defer func() { _ = pool.Close() }()
		exec = steprun.New(waitsFirst{t, pool, sandbox.Forked}, judging.Limits{})
	}
	right, all, apart := 0, 0, 0
	var took time.Duration
	for _, config := range configs {
		dir := filepath.Dir(filepath.Dir(config))
		name := filepath.Base(dir)
		if only := os.Getenv("TRACKER_TRACK_ONLY"); only != "" && !strings.Contains(","+only+",", ","+name+",") {
			continue
		}
		example, stub, tests := exercise(t, dir)
		if len(example) == 0 {
			continue
		}
		for _, c := range []struct {
			what   string
			files  []judging.File
			passes bool
		}{{"reference", example, true}, {"stub", stub, refactoring[name]}} {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			began := time.Now()
			r, results, err := judging.Run(ctx, judge, desc, exec, &judging.PlanRequest{
				Submission: judging.Submission{Language: "python", Files: c.files},
				Task:       judging.Task{Tests: tests, Limits: judging.Limits{Wall: time.Minute, CPU: time.Minute}}, Nonce: rand.Text(),
			}, nil)
			cancel()
			took += time.Since(began)
			all++
			if err == nil && (r.Verdict == judging.VerdictPassed) == c.passes {
				right++
				if r.Integrity == judging.IntegritySplit {
					apart++
				}
				continue
			}
			t.Errorf("%s of %s: %v", c.what, name, err)
			if r != nil {
				t.Logf("  %s, %s, %s", r.Verdict, r.Integrity, r.Summary.In("en"))
				for _, x := range append(r.Tests, judging.Test{}) {
					if x.Status == judging.StatusFail || x.Status == judging.StatusError {
						t.Logf("  %s %s: %s", x.Status, x.Name, x.Message.In("en"))
						break
					}
				}
				for i := range r.Findings {
					if i < 3 {
						t.Logf("  %s %s:%d %s", r.Findings[i].Rule, r.Findings[i].File, r.Findings[i].Line, r.Findings[i].Message.In("en"))
					}
				}
			}
			for _, res := range results {
				for _, p := range res.Processes {
					if len(p.Stderr) > 0 {
						t.Logf("  %s: %s, %d: %.500s", p.Role, res.Outcome, p.ExitCode, p.Stderr)
					}
				}
			}
		}
	}
	t.Logf("%d of %d right (%.1f %%), %d of them split, %s each", right, all, 100*float64(right)/float64(all), apart, took/time.Duration(all))
}

// refactoring exercises hand out code that works.
var refactoring = map[string]bool{"ledger": true, "markdown": true}

// exercise reads the reference, the stub and the tests of an exercise.
func exercise(t *testing.T, dir string) (example, stub, tests []judging.File) {
	t.Helper()
	read := func(name string) judging.File {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return judging.File{Path: name, Content: b}
	}
	var meta struct {
		Files struct {
			Solution []string `json:"solution"`
			Test     []string `json:"test"`
			Example  []string `json:"example"`
			Exemplar []string `json:"exemplar"`
			Editor   []string `json:"editor"`
		} `json:"files"`
	}
	if err := json.Unmarshal(read(".meta/config.json").Content, &meta); err != nil {
		t.Logf("%s: %v", dir, err)
		return nil, nil, nil
	}
	f := meta.Files
	references := append(f.Example, f.Exemplar...)
	for _, name := range f.Solution {
		stub = append(stub, read(name))
	}
	for i, name := range references {
		r := read(name)
		r.Path = filepath.Base(name)
		if i < len(f.Solution) {
			r.Path = f.Solution[i]
		}
		example = append(example, r)
	}
	for _, name := range f.Test {
		tests = append(tests, read(name))
	}
	data, _ := filepath.Glob(filepath.Join(dir, "data/*"))
	for i := range data {
		data[i] = "data/" + filepath.Base(data[i])
	}
	helpers, _ := filepath.Glob(filepath.Join(dir, "*.py"))
	for _, h := range helpers {
		if name := filepath.Base(h); !slices.Contains(slices.Concat(f.Solution, f.Test, f.Editor), name) {
			data = append(data, name)
		}
	}
	for _, name := range append(f.Editor, data...) {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			tests = append(tests, read(name))
		}
	}
	return example, stub, tests
}
