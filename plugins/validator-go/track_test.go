package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// TestEvalATrackOfExercisesIsJudgedRight takes a checkout of Exercism's Go
// track in TRACKER_TRACK_GO: reference solutions must pass, stubs must not.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	root := os.Getenv("TRACKER_TRACK_GO")
	if root == "" {
		t.Skip("TRACKER_TRACK_GO names no checkout of a track")
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
	right, all := 0, 0
	var took time.Duration
	for _, config := range configs {
		dir := filepath.Dir(filepath.Dir(config))
		name := filepath.Base(dir)
		if only := os.Getenv("TRACKER_TRACK_ONLY"); only != "" && !strings.Contains(","+only+",", ","+name+",") {
			continue
		}
		example, stub, tests := exercise(t, dir)
		for _, c := range []struct {
			what   string
			files  []judging.File
			passes bool
		}{{"reference", example, true}, {"stub", stub, false}} {
			if len(c.files) == 0 {
				t.Logf("%s has no %s", name, c.what)
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			began := time.Now()
			r, results, err := judging.Run(ctx, judge, desc, exec, &judging.PlanRequest{
				Submission: judging.Submission{Language: "go", Files: c.files},
				Task:       judging.Task{Tests: tests, Limits: judging.Limits{Wall: time.Minute, CPU: time.Minute}}, Nonce: rand.Text(),
			}, nil)
			cancel()
			took += time.Since(began)
			all++
			if err == nil && (r.Verdict == judging.VerdictPassed) == c.passes {
				right++
				continue
			}
			t.Errorf("%s of %s: %v", c.what, name, err)
			tell(t, r, results)
		}
	}
	t.Logf("%d of %d right (%.1f %%), %s each", right, all, 100*float64(right)/float64(all), took/time.Duration(all))
}

// tell shows what a wrong verdict rests on.
func tell(t *testing.T, r *judging.Report, results []judging.StepResult) {
	t.Helper()
	if r != nil {
		t.Logf("  %s, %s", r.Verdict, r.Summary.In("en"))
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
			t.Logf("  %s: %s, %d: %.500s", res.StepID, res.Outcome, p.ExitCode, p.Stderr)
		}
	}
}

// exercise reads the reference, the stub and the tests of an exercise. All that
// is no solution comes with the tests, as go.mod and data files do.
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
			Example  []string `json:"example"`
			Exemplar []string `json:"exemplar"`
		} `json:"files"`
	}
	if err := json.Unmarshal(read(".meta/config.json").Content, &meta); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	solution := map[string]bool{}
	for _, name := range meta.Files.Solution {
		stub = append(stub, read(name))
		solution[name] = true
	}
	for i, name := range append(meta.Files.Example, meta.Files.Exemplar...) {
		r := read(name)
		r.Path = filepath.Base(name)
		if i < len(meta.Files.Solution) {
			r.Path = meta.Files.Solution[i]
		}
		example = append(example, r)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), "."):
			return filepath.SkipDir
		case !d.IsDir() && !solution[name] && !strings.HasSuffix(name, ".md"):
			tests = append(tests, read(name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return example, stub, tests
}
