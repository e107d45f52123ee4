package courses_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
)

const python = "/usr/bin/python3"

// verdict is how a run of tests ended.
type verdict struct {
	passed bool
	output string
}

// judge puts the files side by side in a fresh folder, as the validator does,
// and runs the exercise's tests there.
func judge(t *testing.T, x courses.Exercise, code map[string]string) verdict {
	t.Helper()
	dir := t.TempDir()
	for _, files := range []map[string]string{code, x.Tests} {
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	args := []string{"-m", "unittest", "test_" + x.Module}
	if x.TestFramework == "pytest" {
		args = []string{"-m", "pytest", "-q", "-p", "no:cacheprovider", "--basetemp", filepath.Join(dir, "tmp")}
	}
	cmd := exec.CommandContext(t.Context(), python, args...)
	cmd.Dir = dir
	cmd.Env = environment(dir)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v: run `make setup`", python, err)
	}
	if bytes.Contains(out, []byte("No module named pytest")) {
		t.Fatalf("%s has no pytest: run `make setup`, or `apt-get install python3-pytest`", python)
	}
	return verdict{passed: err == nil, output: string(out)}
}

// ran matches the summary of either framework when at least one test ran.
var ran = regexp.MustCompile(`Ran [1-9]\d* tests?|[1-9]\d* passed`)

func TestEverySolutionPassesItsTests(t *testing.T) {
	each(t, func(t *testing.T, c courses.Course) {
		for _, x := range exercises(t, c) {
			v := judge(t, x, x.Solution)
			if !v.passed || !ran.MatchString(v.output) {
				t.Errorf("the solution of %s does not pass:\n%s", x.Slug, v.output)
			}
		}
	})
}

func TestEveryStarterFailsItsTestsAndNotByBeingBroken(t *testing.T) {
	broken := regexp.MustCompile(`ImportError|ModuleNotFoundError|SyntaxError|IndentationError|NameError|errors? during collection`)
	each(t, func(t *testing.T, c courses.Course) {
		for _, x := range exercises(t, c) {
			v := judge(t, x, x.Starter)
			if v.passed {
				t.Errorf("the starter of %s passes already", x.Slug)
			}
			if reason := broken.FindString(v.output); reason != "" {
				t.Errorf("the starter of %s is broken (%s), not just unfinished:\n%s", x.Slug, reason, v.output)
			}
		}
	})
}

func TestEveryExampleInTheMaterialDoesWhatItShows(t *testing.T) {
	each(t, func(t *testing.T, c courses.Course) {
		material, err := c.Material()
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range material {
			isUnit := !strings.Contains(p, "/") && p != "course.md"
			if !isUnit && !strings.HasSuffix(p, ".ipynb") {
				continue
			}
			if out, err := runPython(t, c, p, "run_examples.py", nil); err != nil {
				t.Errorf("%s: %v\n%s", p, err, out)
			}
		}
	})
}

func TestExamplesInStatementsHoldForTheSolution(t *testing.T) {
	each(t, func(t *testing.T, c courses.Course) {
		for _, x := range exercises(t, c) {
			p := "exercises/" + x.Slug + "/exercise.md"
			if !strings.Contains(x.Statement, "```pycon") {
				// What reads files is explained in words, with a file as the example.
				if !strings.Contains(x.Statement, "```text") {
					t.Errorf("%s has no example", p)
				}
				continue
			}
			if out, err := runPython(t, c, p, "run_examples.py", x.Solution, x.Module); err != nil {
				t.Errorf("%s: %v\n%s", p, err, out)
			}
		}
	})
}

func TestTheExampleProgramRuns(t *testing.T) {
	input := map[string]string{
		"en": "2024-03-01,11.5\n\n# broken sensor\n2024-03-02,9\n2024-03-03;7\n",
		"es": "2024-03-01;11,5\n\n# sensor averiado\n2024-03-02;0\n2024-03-03,7\n",
	}
	want := map[string]string{
		"en": "line 5: there is no comma\n2 readings, average 10.2 °C, warmest 11.5 °C on 2024-03-01.\n",
		"es": "línea 5: falta el punto y coma\n2 días anotados, 11,5 mm en total; el más lluvioso, 2024-03-01 (11,5 mm).\n",
	}
	each(t, func(t *testing.T, c courses.Course) {
		programs, err := fs.Glob(c.FS(), "examples/*.py")
		if err != nil || len(programs) != 1 {
			t.Fatalf("programs: %v, %v", programs, err)
		}
		data := filepath.Join(t.TempDir(), "data.txt")
		if err := os.WriteFile(data, []byte(input[c.Language]), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := runPython(t, c, programs[0], "", nil, data)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Errorf("a log with a wrong line must end with 1: %v", err)
		}
		if out != want[c.Language] {
			t.Errorf("it said %q, want %q", out, want[c.Language])
		}
	})
}

// runPython copies one file of the course, and what belongs beside it, to a
// fresh folder and runs it, or runs a script of testdata on it.
func runPython(t *testing.T, c courses.Course, file, script string, beside map[string]string, args ...string) (string, error) {
	t.Helper()
	raw, err := fs.ReadFile(c.FS(), file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copied := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(copied, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, content := range beside {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	argv := append([]string{copied}, args...)
	if script != "" {
		script, err = filepath.Abs(filepath.Join("testdata", script))
		if err != nil {
			t.Fatal(err)
		}
		argv = append([]string{script}, argv...)
	}
	cmd := exec.CommandContext(t.Context(), python, argv...)
	cmd.Dir = dir
	cmd.Env = environment(dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// environment keeps everything that Python writes inside one folder.
func environment(dir string) []string {
	return []string{"PATH=/usr/bin:/bin", "HOME=" + dir, "TMPDIR=" + dir, "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8"}
}
