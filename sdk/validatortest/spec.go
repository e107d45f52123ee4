package validatortest

import (
	"flag"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"

	"github.com/goals-tracker/tracker/sandbox"
	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
	"github.com/goals-tracker/tracker/sdk/validator"
	"github.com/goals-tracker/tracker/sdk/validatortest/conform"
)

var update = flag.Bool("update", false, "write the reports that validatortest cases get into their files")

// The first process of a sandbox is the test binary itself, started again:
// this takes over in it, so that authors need no TestMain.
func init() { sandbox.Init() }

// Case is one file of a folder of cases; see conform.Case.
type Case = conform.Case

// ReadCase reads a case; language is taken where the file names none.
func ReadCase(path, language string) (*Case, error) { return conform.ReadCase(path, language) }

// Spec checks what every validator owes its host: a valid description, the
// same report for the same work, errors that are about itself and reports that
// are about the learner, whatever is handed in.
func Spec(t *testing.T, spec *validator.Spec) {
	t.Helper()
	for _, c := range conform.Behaviour(open(t, spec)) {
		check(t, c)
	}
}

// Dir runs each *.txtar file of a folder as a case and compares the report;
// `go test -update` writes it.
func Dir(t *testing.T, spec *validator.Spec, dir string) {
	t.Helper()
	s := open(t, spec)
	cases, err := conform.ReadCases(dir, s.Description().Languages[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if *update {
			t.Run(c.Name, func(t *testing.T) { c.Update(t, s) })
			continue
		}
		it := c.Check(s, "`go test -update` writes the report")
		it.Name = c.Name
		check(t, it)
	}
}

// Binary checks what Spec checks, on a plugin's program written in any
// language, and what is the process's part: the handshake, a friendly text for
// people who start it by hand, and an end when its host is gone. It is what
// `tracker plugin check` does.
func Binary(t *testing.T, path string) {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	conform.Binary(path, conform.Options{}, func(c conform.Check) bool { return check(t, c) })
}

func check(t *testing.T, c conform.Check) bool {
	t.Helper()
	return t.Run(c.Name, func(t *testing.T) {
		c.Run(t)
		if t.Failed() {
			t.Log(c.Fix)
		}
	})
}

// Connect serves a spec in this process and returns a client on it.
func Connect(t testing.TB, spec *validator.Spec) judging.Judge {
	t.Helper()
	judge, err := validator.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	conn, stop, err := pluginproto.InProcess(func(s *grpc.Server) { validatorrpc.Register(s, judge) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return validatorrpc.NewClient(conn, "validatortest")
}

func open(t *testing.T, spec *validator.Spec) *conform.Subject {
	t.Helper()
	s, err := conform.Open(t.Context(), Connect(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
