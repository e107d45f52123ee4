package conform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/goals-tracker/tracker/sdk/judging"
)

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

// ReadCases reads each *.txtar file of a folder.
func ReadCases(dir, language string) ([]*Case, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		return nil, errors.Join(fmt.Errorf("there is no case (*.txtar) in %s", dir), err)
	}
	cases := make([]*Case, len(paths))
	for i, path := range paths {
		if cases[i], err = ReadCase(path, language); err != nil {
			return nil, err
		}
	}
	return cases, nil
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

// Check returns the check of a case's report. advice says how an author writes
// a report that is right.
func (c *Case) Check(s *Subject, advice string) Check {
	return Check{Name: "case " + c.Name, Fix: advice, Run: func(t T) {
		got, results := c.report(t, s)
		if got == c.Report {
			return
		}
		t.Errorf("the report is another (-want +got):\n%s", differ(c.Report, got))
		for _, res := range results {
			for _, proc := range res.Processes {
				t.Logf("step %s, %s: %s, exit code %d\n%s", res.StepID, proc.Role, res.Outcome, proc.ExitCode, bytes.TrimSpace(proc.Stderr))
			}
		}
	}}
}

// Update writes the report that the case gets into its file.
func (c *Case) Update(t T, s *Subject) {
	report, _ := c.report(t, s)
	kept := c.archive.Files[:0]
	for _, f := range c.archive.Files {
		if f.Name != "report" {
			kept = append(kept, f)
		}
	}
	c.archive.Files = append(kept, txtar.File{Name: "report", Data: []byte(report)})
	if err := os.WriteFile(c.path, txtar.Format(c.archive), 0o644); err != nil {
		t.Fatalf("%v", err)
	}
}

// report judges the case. Where it has tests and passes, it must pass by what
// they said.
func (c *Case) report(t T, s *Subject) (string, []judging.StepResult) {
	ctx := context.WithoutCancel(t.Context())
	r, results, err := s.run(ctx, c.Submission, c.Task)
	if err != nil {
		return "could not judge: " + err.Error() + "\n", results
	}
	CheckTexts(t, r)
	if r.Verdict == judging.VerdictPassed && len(c.Task.Tests) > 0 {
		req := s.request(c.Submission, c.Task)
		steps, err := s.judge.Plan(ctx, req)
		if err != nil {
			t.Fatalf("plan it once more: %v", err)
		}
		s.unproven(t, "of the same submission and tests, ", req, steps)
		s.mutates(t, "the case", c.Submission, c.Task)
	}
	return render(r), results
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
