package validatortest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// The kit is tested with specs that are wrong in one way each. What the kit
// says to them fails a test, so it runs in a child process.
var specs = map[string]func(*validator.Spec){
	"right": func(*validator.Spec) {},
	"not valid": func(s *validator.Spec) {
		s.Judge = nil
	},
	"one language only": func(s *validator.Spec) {
		s.Judge = func(context.Context, *validator.Request) (*validator.Report, error) {
			return &validator.Report{Verdict: validator.Failed, Summary: validator.Message{ID: "x", Text: map[string]string{"en": "only English"}}}, nil
		}
	},
	"fails on what is handed in": func(s *validator.Spec) {
		s.Judge = func(_ context.Context, req *validator.Request) (*validator.Report, error) {
			if len(req.Submission.Files) != 1 {
				return nil, errors.New("one file, please")
			}
			return &validator.Report{Verdict: validator.Failed}, nil
		}
	},
	"never the same": func(s *validator.Spec) {
		n := 0
		s.Judge = func(context.Context, *validator.Request) (*validator.Report, error) {
			n++
			return &validator.Report{Verdict: validator.Failed, Score: 1 / float64(n)}, nil
		}
	},
	"passes without results": func(s *validator.Spec) {
		s.Runtimes = []validator.Runtime{{ID: "true", Mounts: []validator.Mount{{Source: "/usr"}, {Source: "/bin", Optional: true}, {Source: "/lib", Optional: true}, {Source: "/lib64", Optional: true}}}}
		s.Plan = func(context.Context, *validator.Request) ([]validator.Step, error) {
			return []validator.Step{{ID: "a", Runtime: "true", Processes: []validator.Process{{Role: "main", Argv: []string{"/bin/true"}}}}}, nil
		}
		s.Judge = func(context.Context, *validator.Request) (*validator.Report, error) {
			return &validator.Report{Verdict: validator.Passed, Score: 1}, nil
		}
	},
	"the same mutant twice": func(s *validator.Spec) {
		s.Mutate = func(_ context.Context, req *validator.Request, _ int) (out []validator.Mutant, _ error) {
			for _, id := range []string{"a", "b"} {
				for _, f := range req.Submission.Files[:min(1, len(req.Submission.Files))] {
					f.Content = []byte("other")
					out = append(out, validator.Mutant{ID: id, Operator: "other", Description: validator.Text("m", "It is other.", "Es otra cosa."), Files: []validator.File{f}})
				}
			}
			return out, nil
		}
	},
	"contradicts itself": func(s *validator.Spec) {
		s.Judge = func(context.Context, *validator.Request) (*validator.Report, error) {
			return &validator.Report{Verdict: validator.Passed, Tests: []validator.Test{{ID: "a", Status: validator.Fail}}}, nil
		}
	},
}

func specNamed(name string) *validator.Spec {
	s := &validator.Spec{
		Name: "kit", Version: "0.1.0", Languages: []validator.Language{{Name: "text", Extensions: []string{".txt"}, DefaultFile: "a.txt"}},
		Judge: func(context.Context, *validator.Request) (*validator.Report, error) {
			return &validator.Report{Verdict: validator.Failed}, nil
		},
	}
	specs[name](s)
	return s
}

func TestChild(t *testing.T) {
	name := os.Getenv("TEST_SPEC")
	if name == "" {
		return // it is a child of the tests below
	}
	if dir := os.Getenv("TEST_DIR"); dir != "" {
		Dir(t, specNamed(name), dir)
		return
	}
	Spec(t, specNamed(name))
}

func child(t *testing.T, spec, dir string, args ...string) (ok bool, out string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestChild$"}, args...)...)
	cmd.Env = append(os.Environ(), "TEST_SPEC="+spec, "TEST_DIR="+dir)
	raw, err := cmd.CombinedOutput()
	return err == nil, string(raw)
}

func TestSpecTellsGoodPluginsFromBadOnes(t *testing.T) {
	for name, want := range map[string]string{
		"right":                      "",
		"not valid":                  "Judge is required",
		"one language only":          `has no text in "es"`,
		"fails on what is handed in": "must never make a plugin fail",
		"never the same":             "gives_the_same_report",
		"passes without results":     "the verdict is passed",
		"contradicts itself":         "did not pass",
		"the same mutant twice":      "is there twice",
	} {
		t.Run(name, func(t *testing.T) {
			ok, out := child(t, name, "")
			if ok != (want == "") || !strings.Contains(out, want) {
				t.Errorf("passed: %v, and %q should be in:\n%s", ok, want, out)
			}
		})
	}
}

func TestACaseFailsUntilItsReportIsWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "one.txtar")
	if err := os.WriteFile(path, []byte("A case.\n-- submission/a.txt --\nhello\n-- report --\nverdict: passed\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if ok, out := child(t, "right", dir); ok || !strings.Contains(out, "-update") {
		t.Errorf("a wrong report must fail:\n%s", out)
	}
	if ok, out := child(t, "right", dir, "-update"); !ok {
		t.Fatal(out)
	}
	if raw, _ := os.ReadFile(path); !bytes.Contains(raw, []byte("-- report --\nverdict: failed\n")) || !bytes.HasPrefix(raw, []byte("A case.\n-- submission/a.txt --\nhello\n")) {
		t.Errorf("%s", raw)
	}
	if ok, out := child(t, "right", dir); !ok {
		t.Error(out)
	}
}

func TestACaseCanSetLanguageOptionsLimitsAndIntegrity(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.txtar")
	text := "About.\n\nlanguage: go\noptions: {\"a\":1}\nlimits: wall=2s memory=64MiB output=10 processes=3\nintegrity: split\n-- submission/d/a.go --\n-- tests/t.go --\n-- starter/s.go --\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := ReadCase(path, "python")
	if err != nil {
		t.Fatal(err)
	}
	l := c.Task.Limits
	if c.Submission.Language != "go" || string(c.Task.Options) != `{"a":1}` || c.Task.RequiredIntegrity != judging.IntegritySplit ||
		l.Wall.Seconds() != 2 || l.MemoryBytes != 64<<20 || l.OutputBytes != 10 || l.Processes != 3 ||
		c.Submission.Files[0].Path != "d/a.go" || len(c.Task.Tests) != 1 || len(c.Task.Starter) != 1 {
		t.Errorf("%+v", c)
	}
	for _, bad := range []string{"limits: wall=soon\n", "limits: luck=1\n", "-- elsewhere/x --\n"} {
		if err := os.WriteFile(path, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadCase(path, "go"); err == nil {
			t.Errorf("%q must be refused", bad)
		}
	}
}
