package validatortest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

var update = flag.Bool("update", false, "write the reports that validatortest cases get into their files")

// Case is one file of a folder of cases, in txtar form. Its comment says what
// it is about; lines of it that begin with a known key set things:
//
//	A learner forgets the colon.
//
//	language: python
//	options: {"framework": "pytest"}
//	limits: wall=2s cpu=2s memory=64MiB output=64KiB
//	integrity: split
//	-- submission/stack.py --
//	...
//	-- tests/test_stack.py --
//	...
//	-- starter/stack.py --
//	...
//	-- report --
//	verdict: failed
//
// The last file is the expected report; `go test -update` writes it.
type Case struct {
	Name       string
	Submission judging.Submission
	Task       judging.Task
	Report     string

	path    string
	archive *txtar.Archive
}

// Dir runs each *.txtar file of a folder as a case and compares the report.
func Dir(t *testing.T, spec *validator.Spec, dir string) {
	t.Helper()
	p := open(t, Connect(t, spec))
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no case (*.txtar) in %s: %v", dir, err)
	}
	for _, path := range paths {
		c, err := ReadCase(path, p.desc.Languages[0].Name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) { c.run(t, p) })
	}
}

// ReadCase reads a case; language is taken where the file names none.
func ReadCase(path, language string) (*Case, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c := &Case{
		Name: strings.TrimSuffix(filepath.Base(path), ".txtar"), path: path, archive: txtar.Parse(raw),
		Submission: judging.Submission{Language: language},
	}
	for line := range strings.Lines(string(c.archive.Comment)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		switch key {
		case "language":
			c.Submission.Language = value
		case "options":
			c.Task.Options = []byte(value)
		case "integrity":
			c.Task.RequiredIntegrity = judging.Integrity(value)
		case "limits":
			if c.Task.Limits, err = parseLimits(value); err != nil {
				return nil, fmt.Errorf("case %s: %w", path, err)
			}
		}
	}
	for _, f := range c.archive.Files {
		root, name, _ := strings.Cut(f.Name, "/")
		file := judging.File{Path: name, Content: f.Data}
		switch {
		case f.Name == "report":
			c.Report = string(f.Data)
		case root == "submission" && name != "":
			c.Submission.Files = append(c.Submission.Files, file)
		case root == "tests" && name != "":
			c.Task.Tests = append(c.Task.Tests, file)
		case root == "starter" && name != "":
			c.Task.Starter = append(c.Task.Starter, file)
		default:
			return nil, fmt.Errorf("case %s: the file %q must be below submission/, tests/ or starter/, or be report", path, f.Name)
		}
	}
	return c, nil
}

func (c *Case) run(t *testing.T, p *subject) {
	t.Helper()
	r, results, err := p.run(context.WithoutCancel(t.Context()), c.Submission, c.Task)
	var got string
	if err != nil {
		got = "could not judge: " + err.Error() + "\n"
	} else {
		checkTexts(t, r)
		got = render(r)
	}
	if *update {
		c.write(t, got)
		return
	}
	if d := cmp.Diff(c.Report, got); d != "" {
		t.Errorf("the report is another (-want +got; `go test -update` writes it):\n%s", d)
		for _, res := range results {
			for _, proc := range res.Processes {
				t.Logf("step %s, %s: %s, exit code %d\n%s", res.StepID, proc.Role, res.Outcome, proc.ExitCode, bytes.TrimSpace(proc.Stderr))
			}
		}
	}
}

func (c *Case) write(t *testing.T, report string) {
	t.Helper()
	kept := c.archive.Files[:0]
	for _, f := range c.archive.Files {
		if f.Name != "report" {
			kept = append(kept, f)
		}
	}
	c.archive.Files = append(kept, txtar.File{Name: "report", Data: []byte(report)})
	if err := os.WriteFile(c.path, txtar.Format(c.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

func parseLimits(s string) (judging.Limits, error) {
	var l judging.Limits
	for _, field := range strings.Fields(s) {
		key, value, _ := strings.Cut(field, "=")
		var err error
		switch key {
		case "wall":
			l.Wall, err = time.ParseDuration(value)
		case "cpu":
			l.CPU, err = time.ParseDuration(value)
		case "memory":
			l.MemoryBytes, err = parseBytes(value)
		case "output":
			l.OutputBytes, err = parseBytes(value)
		case "disk":
			l.DiskBytes, err = parseBytes(value)
		case "processes":
			var n uint64
			n, err = strconv.ParseUint(value, 10, 32)
			l.Processes = uint32(n)
		default:
			err = fmt.Errorf("unknown limit")
		}
		if err != nil {
			return l, fmt.Errorf("limit %q: %w", field, err)
		}
	}
	return l, nil
}

func parseBytes(s string) (uint64, error) {
	unit := uint64(1)
	for suffix, n := range map[string]uint64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			s, unit = rest, n
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n * unit, err
}
