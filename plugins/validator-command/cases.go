package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// ioCase is one run of the learner's program: what it is given, and what it is
// expected to answer.
type ioCase struct {
	Name   string   `json:"name"`
	Args   []string `json:"args"`
	Stdin  string   `json:"stdin"`
	Stdout *string  `json:"stdout"`
	Exit   *int     `json:"exit_code"`
	Points float64  `json:"points"`
	Hidden bool     `json:"hidden"`
	Task   string   `json:"task"`
}

// suffixes are the parts of a case in files of one name.
var suffixes = []string{".in", ".out", ".args", ".exit"}

// readCases finds the cases among a task's files, sorted by name. The files that
// are no part of a case are given to the program.
func readCases(tests []validator.File, l *language) (cases []ioCase, given []validator.File, err error) {
	byName := map[string]*ioCase{}
	var names []string
	for _, f := range tests {
		base := path.Base(f.Path)
		if base == "cases.json" {
			list, err := readCaseFile(f.Content)
			if err != nil {
				return nil, nil, fmt.Errorf("read %s: %w", f.Path, err)
			}
			cases = append(cases, list...)
			continue
		}
		suffix := path.Ext(base)
		if !slices.Contains(suffixes, suffix) {
			if !l.isCode(f.Path) {
				given = append(given, f)
			}
			continue
		}
		name := strings.TrimSuffix(f.Path, suffix)
		c := byName[name]
		if c == nil {
			c = &ioCase{Name: name}
			byName[name] = c
			names = append(names, name)
		}
		if err := c.part(suffix, f.Content); err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", f.Path, err)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		cases = append(cases, *byName[name])
	}
	seen := map[string]bool{}
	for i := range cases {
		c := &cases[i]
		switch {
		case c.Name == "" || seen[c.Name]:
			return nil, nil, fmt.Errorf("the case %q needs a name of its own", c.Name)
		case c.Stdout == nil && c.Exit == nil:
			return nil, nil, fmt.Errorf("nothing says what is expected of the case %s: add a file %s.out", c.Name, c.Name)
		case c.Points < 0:
			return nil, nil, fmt.Errorf("the points of the case %s are below 0", c.Name)
		}
		seen[c.Name] = true
	}
	return cases, given, nil
}

func (c *ioCase) part(suffix string, content []byte) error {
	text := string(content)
	switch suffix {
	case ".in":
		c.Stdin = text
	case ".out":
		c.Stdout = &text
	case ".args":
		// One argument a line, as arguments may hold spaces.
		c.Args = strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	case ".exit":
		var code int
		if _, err := fmt.Sscanf(strings.TrimSpace(text), "%d", &code); err != nil || code < 0 || code > 255 {
			return fmt.Errorf("%q is no exit code from 0 to 255", strings.TrimSpace(text))
		}
		c.Exit = &code
	}
	return nil
}

func readCaseFile(content []byte) ([]ioCase, error) {
	var list []ioCase
	dec := json.NewDecoder(bytes.NewReader(content))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&list); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text after the list")
	}
	return list, nil
}

// judgeCase compares what the program did with what is expected.
func judgeCase(c *ioCase, res *validator.StepResult, opts options) validator.Test {
	t := validator.Test{ID: c.Name, Name: c.Name, TaskID: c.Task, Weight: c.Points, Status: validator.Error}
	p := (*validator.ProcessResult)(nil)
	if res != nil {
		p = res.Process("submission")
	}
	if p == nil {
		t.Message = textNotReached
		return t
	}
	t.Duration = res.Wall
	if !c.Hidden {
		t.Output = excerpt(strings.TrimRight(string(p.Stdout)+string(p.Stderr), "\n"))
	}
	switch res.Outcome {
	case validator.OutcomeTimedOut:
		t.Message = textTooLong
		return t
	case validator.OutcomeOutOfMemory:
		t.Message = textMemory
		return t
	case validator.OutcomeOutputLimit:
		t.Message = textOutput
		return t
	case validator.OutcomeKilled:
		t.Message = killed(p.Signal)
		return t
	default:
	}
	t.Status = validator.Fail
	want := 0
	if c.Exit != nil {
		want = *c.Exit
	}
	if p.ExitCode != want {
		t.Message = exitCode(want, p.ExitCode, firstLine(p.Stderr), c.Hidden)
		return t
	}
	if c.Stdout == nil {
		t.Status = validator.Pass
		return t
	}
	d := difference(*c.Stdout, string(p.Stdout), opts)
	if d == nil {
		t.Status = validator.Pass
		return t
	}
	t.Message = d.message(c)
	if !c.Hidden {
		t.Expected, t.Actual = excerpt(*c.Stdout), excerpt(string(p.Stdout))
	}
	return t
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(strings.ToValidUTF8(string(b), "\ufffd")), "\n")
	return short(line)
}

// excerpt is the beginning of a long output.
func excerpt(s string) string {
	const most = 2 << 10
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "\n…"
}
