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
// (exercism/rust) in TRACKER_TRACK_RUST: reference solutions must pass,
// stubs must not.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	root := os.Getenv("TRACKER_TRACK_RUST")
	if root == "" {
		t.Skip("TRACKER_TRACK_RUST names no checkout of a track")
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
	toolchain, err := exec.Toolchain(t.Context(), desc)
	if err != nil {
		t.Fatal(err)
	}
	right, all := 0, 0
	var took time.Duration
	for _, config := range configs {
		dir := filepath.Dir(filepath.Dir(config))
		name := filepath.Base(dir)
		if only := os.Getenv("TRACKER_TRACK_ONLY"); only != "" && !strings.Contains(","+only+",", ","+name+",") {
			continue
		}
		example, stub, tests, language := exercise(t, dir)
		if len(example) == 0 {
			continue
		}
		for _, c := range []struct {
			what   string
			files  []judging.File
			passes bool
		}{{"reference", example, true}, {"stub", stub, false}} {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			began := time.Now()
			r, results, err := judging.Run(ctx, judge, desc, exec, &judging.PlanRequest{
				Submission: judging.Submission{Language: language, Files: c.files}, Toolchain: toolchain,
				Task: judging.Task{Tests: tests, Options: []byte(`{"run_ignored":true}`), Limits: judging.Limits{Wall: time.Minute, CPU: time.Minute}}, Nonce: rand.Text(),
			}, nil)
			cancel()
			took += time.Since(began)
			all++
			if err == nil && (r.Verdict == judging.VerdictPassed) == c.passes {
				right++
				continue
			}
			t.Errorf("%s of %s: %v", c.what, name, err)
			if r != nil {
				t.Logf("  %s, %s", r.Verdict, r.Summary.In("en"))
				shown := 0
				for _, x := range r.Tests {
					if (x.Status == judging.StatusFail || x.Status == judging.StatusError) && shown < 2 {
						t.Logf("  %s %s: %s", x.Status, x.Name, x.Message.In("en"))
						shown++
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
						t.Logf("  %s: %s, %d: %.500s", res.StepID, res.Outcome, p.ExitCode, p.Stderr)
					}
				}
			}
		}
	}
	t.Logf("%d of %d right (%.1f %%), %s each", right, all, 100*float64(right)/float64(max(all, 1)), took/time.Duration(max(all, 1)))
}

// exercise reads the reference, the stub and the tests of an exercise.
func exercise(t *testing.T, dir string) (example, stub, tests []judging.File, language string) {
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
		t.Fatalf("%s: %v", dir, err)
	}
	f := meta.Files
	for _, name := range f.Solution {
		stub = append(stub, read(name))
	}
	for _, name := range append(f.Example, f.Exemplar...) {
		r := read(name)
		r.Path = "src/" + filepath.Base(name)
		if base := filepath.Base(name); base == "example.rs" || base == "exemplar.rs" {
			r.Path = "src/lib.rs"
		} else if strings.HasSuffix(base, ".toml") {
			r.Path = "Cargo.toml"
		}
		example = append(example, r)
	}
	for _, s := range stub {
		found := false
		for _, e := range example {
			found = found || e.Path == s.Path
		}
		if !found {
			example = append(example, s)
		}
	}
	for _, name := range append(f.Test, f.Editor...) {
		tests = append(tests, read(name))
	}
	beside, _ := filepath.Glob(filepath.Join(dir, "src/*.rs"))
	for _, name := range beside {
		name = "src/" + filepath.Base(name)
		if !slices.Contains(f.Solution, name) && !slices.Contains(f.Editor, name) {
			tests = append(tests, read(name))
		}
	}
	return example, stub, tests, "rust"
}
