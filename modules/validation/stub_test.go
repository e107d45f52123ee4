package validation

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/goals-tracker/tracker/sdk/judging"
)

var languages = map[string]judging.Language{
	"python":     {Extensions: []string{".py"}, TestGlobs: []string{"test_*.py", "*_test.py", "tests.py", "conftest.py"}},
	"javascript": {Extensions: []string{".js", ".mjs"}, TestGlobs: []string{"*.test.js", "*.spec.js"}},
	"go":         {Extensions: []string{".go"}, TestGlobs: []string{"*_test.go"}},
}

func TestWhatTheSubmissionFillsInCountsInsteadOfTheStubBesideTheTests(t *testing.T) {
	for _, c := range []struct {
		language          string
		exercise, handed  []string
		tests, submission string
	}{
		{"python", []string{"leap.py", "leap_test.py", "conftest.py", "data.txt"}, []string{"leap.py", "conftest.py", "data.txt", "more.py"},
			"[conftest.py:e data.txt:e leap_test.py:e]", "[conftest.py:s data.txt:s leap.py:s more.py:s]"},
		{"javascript", []string{"leap.js", "leap.spec.js", "package.json", "babel.config.cjs"}, []string{"leap.js", "leap.spec.js", "package.json"},
			"[babel.config.cjs:e leap.spec.js:e package.json:e]", "[leap.js:s leap.spec.js:s package.json:s]"},
		{"go", []string{"leap.go", "leap_test.go", "cases_test.go", "go.mod", "other/other.go"}, []string{"leap.go", "go.mod", "leap_test.go"},
			"[cases_test.go:e go.mod:e leap_test.go:e other/other.go:e]", "[go.mod:s leap.go:s leap_test.go:s]"},
	} {
		t.Run(c.language, func(t *testing.T) {
			d, err := readDirs(DirOptions{Submission: write(t, "s", c.handed), Tests: write(t, "e", c.exercise)}, languages[c.language])
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(named(d.tests)); got != c.tests {
				t.Errorf("the tests are %s, want %s", got, c.tests)
			}
			if got := fmt.Sprint(named(d.submission)); got != c.submission {
				t.Errorf("the submission is %s, want %s", got, c.submission)
			}
		})
	}
}

func TestAHelperOfTheTestsStaysTheTasksUnlessItIsWhatLearnersFillIn(t *testing.T) {
	const stub, check = "def add(a, b):\n    pass\n", "def check(a, b):\n    assert a == b\n"
	const config = `{"files": {"solution": ["sets.py"], "test": ["sets_test.py"], "editor": ["sets_data.py"]}}`
	for _, c := range []struct {
		name, language   string
		exercise, handed map[string]string
		starters, kept   string
		guessed          bool
	}{
		{"a helper, and no stub", "python", map[string]string{"helpers.py": check, "test_calc.py": "from helpers import check\nfrom calc import add\n"},
			map[string]string{"calc.py": "", "helpers.py": "def check(a, b): pass"}, "[]", "[helpers.py]", false},
		{"nothing but the helper", "python", map[string]string{"helpers.py": check, "test_calc.py": "from helpers import check\nfrom calc import add\n"},
			map[string]string{"helpers.py": "import sys"}, "[]", "[helpers.py]", false},
		{"a helper beside a stub", "python", map[string]string{"calc.py": stub, "helpers.py": check, "test_calc.py": ""},
			map[string]string{"calc.py": "x = 1", "helpers.py": "y = 1"}, "[calc.py]", "[helpers.py]", false},
		{"a helper that is the same", "python", map[string]string{"calc.py": stub, "helpers.py": check, "test_calc.py": ""},
			map[string]string{"calc.py": "x = 1", "helpers.py": check}, "[calc.py]", "[]", false},
		{"a program to mend", "python", map[string]string{"calc.py": "def add(a, b):\n    return a - b\n", "tests.py": "from calc import add\n"},
			map[string]string{"calc.py": "x = 1"}, "[calc.py]", "[]", false},
		{"a stub by another name", "python", map[string]string{"shapes.py": stub, "colours.py": check, "test_all.py": ""},
			map[string]string{"shapes.py": "x = 1", "colours.py": "y = 1"}, "[shapes.py]", "[colours.py]", true},
		{"several to mend", "python", map[string]string{"a.py": "a = 1", "b.py": "b = 1", "tests.py": ""},
			map[string]string{"a.py": "a = 2", "b.py": "b = 2"}, "[a.py b.py]", "[]", true},
		{"as a track says", "python", map[string]string{".meta/config.json": config, "sets.py": "x = 0", "sets_data.py": stub, "sets_test.py": ""},
			map[string]string{"sets.py": "x = 1", "sets_data.py": "y = 1"}, "[sets.py]", "[sets_data.py]", false},
		{"JavaScript", "javascript", map[string]string{"helpers.js": "exports.check = (a, b) => expect(a).toBe(b);", "two-fer.spec.js": `require("./two-fer"); require("./helpers");`},
			map[string]string{"two-fer.js": "", "helpers.js": ""}, "[]", "[helpers.js]", false},
		{"Go's package of helpers", "go", map[string]string{"go.mod": "", "assert/assert.go": "package assert", "calc_test.go": "package calc"},
			map[string]string{"calc.go": "package calc", "assert/assert.go": "package assert // mine"}, "[]", "[assert/assert.go]", false},
		{"Go's stub and the editor's file", "go", map[string]string{"robot.go": "package robot\n\n// Step1: please implement", "defs.go": "package robot\ntype Dir int", "robot_test.go": "", "cases_test.go": ""},
			map[string]string{"robot.go": "package robot", "defs.go": "package robot"}, "[robot.go]", "[defs.go]", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := readDirs(DirOptions{Submission: place(t, c.handed), Tests: place(t, c.exercise)}, languages[c.language])
			if err != nil {
				t.Fatal(err)
			}
			starters := []string{}
			for _, f := range d.starters {
				starters = append(starters, f.Path)
			}
			if fmt.Sprint(starters) != c.starters || fmt.Sprint(d.kept) != c.kept || d.guessed != c.guessed {
				t.Errorf("starters %v, kept %v, guessed %v; want %s, %s, %v", starters, d.kept, d.guessed, c.starters, c.kept, c.guessed)
			}
		})
	}
}

func TestFoldersThatPeopleMadeAreReadWhateverTheyAreCalled(t *testing.T) {
	d, err := readDirs(DirOptions{
		Submission: place(t, map[string]string{"target/aim.py": "", "venv/wine.py": "", "node_modules/x/index.js": "", "old/target/CACHEDIR.TAG": "", "old/venv/pyvenv.cfg": ""}),
		Tests:      place(t, map[string]string{"a.test.js": "", "node_modules/chai/index.js": ""}),
	}, languages["javascript"])
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(named(d.submission), named(d.tests)); got != "[target/aim.py: venv/wine.py:] [a.test.js: node_modules/chai/index.js:]" {
		t.Error(got)
	}
	many := map[string]string{"a.test.js": ""}
	for i := range maxPackagesFiles + 1 {
		many[fmt.Sprintf("node_modules/jest/%d.js", i)] = ""
	}
	if d, err = readDirs(DirOptions{Submission: place(t, map[string]string{"a.js": ""}), Tests: place(t, many)}, languages["javascript"]); err != nil || len(d.tests) != 1 {
		t.Errorf("an installed framework was taken for the tests' own: %d files, %v", len(d.tests), err)
	}
}

func place(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(t *testing.T, content string, names []string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func named(files []judging.File) (all []string) {
	for _, f := range files {
		all = append(all, f.Path+":"+string(f.Content))
	}
	return all
}
