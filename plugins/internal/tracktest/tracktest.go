// Package tracktest judges the exercises of an Exercism track with a validator
// plugin: reference solutions must pass, stubs must not. It is an evaluation on
// a checkout that the project does not carry, so a plugin's test is skipped
// unless its variable names one.
//
//	func TestEvalATrackOfExercisesIsJudgedRight(t *testing.T) {
//		tracktest.Run(t, spec, &tracktest.Track{Env: "TRACKER_TRACK_X", Language: "x", Read: read})
//	}
//
// It owns the loop, the figures and what is shown of a wrong verdict. Where a
// language's exercises keep their files is said by each plugin.
//
// TRACKER_TRACK_ONLY names exercises, with commas between them, where not all
// are wanted. With TRACKER_TRACK_WARM set, warm-up programs judge.
package tracktest

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
	"github.com/goals-tracker/tracker/sdk/validator"
	"github.com/goals-tracker/tracker/sdk/validatortest"
	"github.com/goals-tracker/tracker/sdk/validatortest/steprun"
)

// Track is what differs between the tracks of two languages.
type Track struct {
	// Env is the variable that names the checkout. Required.
	Env string
	// Language is what submissions are in, unless Read says otherwise. Required.
	Language string
	// Read fills in an exercise's Reference, Stub and Tests. Required.
	Read func(*testing.T, *Exercise)
	// Options are the task's. Defaults to none.
	Options string
	// StubsPass names the exercises that hand out code that works.
	StubsPass []string
	// StubsAlone has stubs judged where an exercise has no reference. Defaults to
	// leaving such an exercise out.
	StubsAlone bool
	// Toolchain tells the plugin its runtimes' versions, as the server does.
	Toolchain bool
	// Warm runs steps by a pool's warm-up programs. Defaults to there being none.
	Warm func(*testing.T, *sandbox.Pool) steprun.Runner
	// Timeout is for one verdict. Defaults to 2 minutes.
	Timeout time.Duration
}

// Exercise is a folder of a track.
type Exercise struct {
	Dir string
	// Solution, Test, Example and Editor are the names of files in the exercise's
	// config.json; Example has those of exemplars, too.
	Solution, Test, Example, Editor []string

	Language               string
	Reference, Stub, Tests []judging.File

	t *testing.T
}

// Read reads files of the exercise, all of which must be there.
func (x *Exercise) Read(names ...string) []judging.File {
	x.t.Helper()
	files := make([]judging.File, 0, len(names))
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(x.Dir, name))
		if err != nil {
			x.t.Fatal(err)
		}
		files = append(files, judging.File{Path: name, Content: b})
	}
	return files
}

// ReadPresent reads those of the files that are there.
func (x *Exercise) ReadPresent(names ...string) []judging.File {
	x.t.Helper()
	return x.Read(slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, err := os.Stat(filepath.Join(x.Dir, name))
		return err != nil
	})...)
}

// Glob is the names of files in the exercise.
func (x *Exercise) Glob(pattern string) []string {
	x.t.Helper()
	names, err := filepath.Glob(filepath.Join(x.Dir, pattern))
	if err != nil {
		x.t.Fatal(err)
	}
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, x.Dir+string(filepath.Separator))
	}
	return names
}

// ReadInPlace reads the examples, each as the solution in the same place of its
// list; those beyond the solutions keep their base name.
func (x *Exercise) ReadInPlace() []judging.File {
	x.t.Helper()
	files := x.Read(x.Example...)
	for i := range files {
		files[i].Path = filepath.Base(files[i].Path)
		if i < len(x.Solution) {
			files[i].Path = x.Solution[i]
		}
	}
	return files
}

// Run judges every exercise of the track and logs how many verdicts are right.
func Run(t *testing.T, spec *validator.Spec, track *Track) {
	t.Helper()
	root := os.Getenv(track.Env)
	if root == "" {
		t.Skip(track.Env + " names no checkout of a track")
	}
	configs, err := filepath.Glob(filepath.Join(root, "exercises/*/*/.meta/config.json"))
	if err != nil || len(configs) == 0 {
		t.Fatalf("no exercises in %s: %v", root, err)
	}
	e := newEvaluation(t, spec, track)
	only := os.Getenv("TRACKER_TRACK_ONLY")
	for _, config := range configs {
		dir := filepath.Dir(filepath.Dir(config))
		name := filepath.Base(dir)
		if only != "" && !slices.Contains(strings.Split(only, ","), name) {
			continue
		}
		x := readExercise(t, track, dir)
		if x == nil || len(x.Reference) == 0 && !track.StubsAlone {
			continue
		}
		e.judge(t, x, "reference", x.Reference, true)
		e.judge(t, x, "stub", x.Stub, slices.Contains(track.StubsPass, name))
	}
	n := max(e.all, 1)
	t.Logf("%d of %d right (%.1f %%), %d of them split, %s each", e.right, e.all, 100*float64(e.right)/float64(n), e.apart, e.took/time.Duration(n))
}

// readExercise is nil where the exercise's config.json can not be read.
func readExercise(t *testing.T, track *Track, dir string) *Exercise {
	t.Helper()
	x := &Exercise{Dir: dir, Language: track.Language, t: t}
	var meta struct {
		Files struct {
			Solution []string `json:"solution"`
			Test     []string `json:"test"`
			Example  []string `json:"example"`
			Exemplar []string `json:"exemplar"`
			Editor   []string `json:"editor"`
		} `json:"files"`
	}
	if err := json.Unmarshal(x.Read(".meta/config.json")[0].Content, &meta); err != nil {
		t.Logf("%s: %v", dir, err)
		return nil
	}
	f := meta.Files
	x.Solution, x.Test, x.Example, x.Editor = f.Solution, f.Test, slices.Concat(f.Example, f.Exemplar), f.Editor
	track.Read(t, x)
	return x
}

// evaluation is a track that is being judged, and its figures.
type evaluation struct {
	track     *Track
	judging   judging.Judge
	desc      *judging.Description
	exec      *steprun.Executor
	toolchain map[string]string

	right, all, apart int
	took              time.Duration
}

func newEvaluation(t *testing.T, spec *validator.Spec, track *Track) *evaluation {
	t.Helper()
	runner, err := sandbox.New(sandbox.Config{})
	if err != nil {
		t.Fatal(err)
	}
	e := &evaluation{track: track, judging: validatortest.Connect(t, spec), exec: steprun.New(runner, judging.Limits{})}
	if e.desc, err = e.judging.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if track.Toolchain {
		if e.toolchain, err = e.exec.Toolchain(t.Context(), e.desc); err != nil {
			t.Fatal(err)
		}
	}
	if track.Warm != nil && os.Getenv("TRACKER_TRACK_WARM") != "" {
		pool := runner.NewPool(sandbox.PoolConfig{Size: 1})
		t.Cleanup(func() { _ = pool.Close() })
		e.exec = steprun.New(track.Warm(t, pool), judging.Limits{})
	}
	return e
}

// judge counts one verdict.
func (e *evaluation) judge(t *testing.T, x *Exercise, what string, files []judging.File, passes bool) {
	t.Helper()
	name := filepath.Base(x.Dir)
	if len(files) == 0 {
		t.Logf("%s has no %s", name, what)
		return
	}
	timeout := e.track.Timeout
	if timeout == 0 {
		timeout = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	began := time.Now()
	r, results, err := judging.Run(ctx, e.judging, e.desc, e.exec, &judging.PlanRequest{
		Submission: judging.Submission{Language: x.Language, Files: files}, Toolchain: e.toolchain,
		Task:  judging.Task{Tests: x.Tests, Options: []byte(e.track.Options), Limits: judging.Limits{Wall: time.Minute, CPU: time.Minute}},
		Nonce: rand.Text(),
	}, nil)
	e.took += time.Since(began)
	e.all++
	if err != nil || (r.Verdict == judging.VerdictPassed) != passes {
		t.Errorf("%s of %s: %v", what, name, err)
		tell(t, r, results)
		return
	}
	e.right++
	if r.Integrity == judging.IntegritySplit {
		e.apart++
	}
}

// tell shows what a wrong verdict rests on.
func tell(t *testing.T, r *judging.Report, results []judging.StepResult) {
	t.Helper()
	if r != nil {
		t.Logf("  %s, %s, %s", r.Verdict, r.Integrity, r.Summary.In("en"))
		shown := 0
		for i := range r.Tests {
			x := &r.Tests[i]
			if (x.Status == judging.StatusFail || x.Status == judging.StatusError) && shown < 2 {
				t.Logf("  %s %s: %s", x.Status, x.Name, x.Message.In("en"))
				shown++
			}
		}
		for i := range min(len(r.Findings), 3) {
			f := &r.Findings[i]
			t.Logf("  %s %s:%d %s", f.Rule, f.File, f.Line, f.Message.In("en"))
		}
	}
	for _, res := range results {
		for _, p := range res.Processes {
			if len(p.Stderr) > 0 || p.ExitCode != 0 {
				t.Logf("  %s %s: %s, %d: %.500s", res.StepID, p.Role, res.Outcome, p.ExitCode, p.Stderr)
			}
		}
	}
}
