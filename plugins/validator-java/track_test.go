package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io/fs"
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
// (exercism/java) in TRACKER_TRACK_JAVA:
// reference solutions must pass, stubs must not. It is told to run what the
// track's files mark as skipped, as the track's own runner does.
func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
	root := os.Getenv("TRACKER_TRACK_JAVA")
	if root == "" {
		t.Skip("TRACKER_TRACK_JAVA names no checkout of a track")
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
		example, stub, tests, language := exercise(t, dir)
		if len(example) == 0 {
			continue
		}
		for _, c := range []struct {
			what   string
			files  []judging.File
			passes bool
		}{{"reference", example, true}, {"stub", stub, false}} {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			began := time.Now()
			r, results, err := judging.Run(ctx, judge, desc, exec, &judging.PlanRequest{
				Submission: judging.Submission{Language: language, Files: c.files},
				Task:       judging.Task{Tests: tests, Options: []byte(`{"run_skipped":true}`), Limits: judging.Limits{Wall: time.Minute, CPU: time.Minute}}, Nonce: rand.Text(),
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
	t.Logf("%d of %d right (%.1f %%), %s each", right, all, 100*float64(right)/float64(all), took/time.Duration(all))
}

// exercise reads the reference, the stub and the tests of an exercise.
func exercise(t *testing.T, dir string) (example, stub, tests []judging.File, language string) {
	t.Helper()
	var meta struct {
		Files struct {
			Solution []string `json:"solution"`
			Test     []string `json:"test"`
			Example  []string `json:"example"`
			Exemplar []string `json:"exemplar"`
			Editor   []string `json:"editor"`
		} `json:"files"`
	}
	raw, err := os.ReadFile(filepath.Join(dir, ".meta/config.json"))
	if err == nil {
		err = json.Unmarshal(raw, &meta)
	}
	if err != nil {
		t.Fatal(err)
	}
	read := func(names []string, under, as string) (out []judging.File) {
		for _, name := range names {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Logf("%v", err)
				continue
			}
			if rest, ok := strings.CutPrefix(name, under); ok && under != "" {
				name = as + rest
			}
			out = append(out, judging.File{Path: name, Content: b})
		}
		return out
	}
	f := meta.Files
	stub = read(f.Solution, "", "")
	example = read(append(f.Example, f.Exemplar...), ".meta/src/reference/java/", "src/main/java/")
	// What a learner finds there and need not change is part of both.
	given := read(f.Editor, "", "")
	for _, g := range given {
		if !strings.HasPrefix(g.Path, "src/test/") {
			example, stub = append(example, g), append(stub, g)
		}
	}
	for _, s := range stub {
		if !slices.ContainsFunc(example, func(x judging.File) bool { return x.Path == s.Path }) {
			example = append(example, s)
		}
	}
	// Helpers of tests are not listed.
	all := f.Test
	err = filepath.WalkDir(filepath.Join(dir, "src/test"), func(name string, d fs.DirEntry, err error) error {
		if rel, relErr := filepath.Rel(dir, name); err == nil && relErr == nil && !d.IsDir() && !slices.Contains(all, rel) {
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	tests = read(all, "", "")
	return example, stub, tests, "java"
}
