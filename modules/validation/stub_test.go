package validation

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/goals-tracker/tracker/sdk/judging"
)

func TestWhatTheSubmissionFillsInCountsInsteadOfTheStubBesideTheTests(t *testing.T) {
	languages := map[string]judging.Language{
		"python":     {Extensions: []string{".py"}, TestGlobs: []string{"test_*.py", "*_test.py", "conftest.py"}},
		"javascript": {Extensions: []string{".js", ".mjs"}, TestGlobs: []string{"*.test.js", "*.spec.js"}},
		"go":         {Extensions: []string{".go"}, TestGlobs: []string{"*_test.go"}},
	}
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
			submission, tests, err := readDirs(DirOptions{Submission: write(t, "s", c.handed), Tests: write(t, "e", c.exercise)}, languages[c.language])
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(named(tests)); got != c.tests {
				t.Errorf("the tests are %s, want %s", got, c.tests)
			}
			if got := fmt.Sprint(named(submission)); got != c.submission {
				t.Errorf("the submission is %s, want %s", got, c.submission)
			}
		})
	}
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
