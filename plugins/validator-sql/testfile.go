package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// reader takes a test file apart, line by line.
type reader struct {
	file    validator.File
	files   map[string]validator.File
	head    settings
	tests   []*test
	section string // where lines without a directive go
	form    string // "table" or "csv", of an expect section
	table   []string
}

// readTests reads a test file. Directives are comments, so that the file stays
// one that any tool for SQL can open.
func readTests(f validator.File, files map[string]validator.File, opts options) ([]*test, error) {
	r := &reader{file: f, files: files, head: opts.settings()}
	r.head.file = learnersName(f.Path)
	n := 0
	for line := range strings.SplitSeq(strings.ReplaceAll(text(f), "\r\n", "\n"), "\n") {
		n++
		if err := r.line(n, line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", f.Path, n, err)
		}
	}
	if err := r.endTable(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", f.Path, n, err)
	}
	return r.tests, nil
}

func (r *reader) line(n int, line string) error {
	trimmed := strings.TrimSpace(line)
	note, isNote := strings.CutPrefix(trimmed, "--")
	note = strings.TrimSpace(note)
	if r.section == "expect" && r.row(trimmed, note, isNote) {
		return nil
	}
	if isNote && directive(note) {
		if err := r.endTable(); err != nil {
			return err
		}
		key, value, _ := strings.Cut(note, ":")
		return r.directive(n, strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value))
	}
	if trimmed == "" || isNote && r.section == "" {
		return nil
	}
	if len(r.tests) == 0 {
		return errors.New("this belongs to no test: a test begins with a line `-- test: its name`")
	}
	t := r.tests[len(r.tests)-1]
	switch r.section {
	case "before":
		t.before += line + "\n"
	case "reference":
		t.reference += line + "\n"
	case "expect":
		if !isNote {
			return fmt.Errorf("%q is no row of a table: rows begin with |", trimmed)
		}
	default:
		t.check += line + "\n"
	}
	return nil
}

// row takes a line of an expected table; false when it is none.
func (r *reader) row(line, note string, isNote bool) bool {
	if isNote {
		line = note
	}
	if r.form == "csv" && isNote && !directive(note) || strings.HasPrefix(line, "|") {
		r.table = append(r.table, line)
		return true
	}
	return false
}

var directives = []string{"test", "file", "statement", "setup", "data", "before", "check", "reference", "expect", "expect-error",
	"ordered", "unordered", "columns", "tolerance", "points", "task", "writes", "tables"}

// directive says whether a comment is one of ours: a known word, alone or with
// a colon behind it.
func directive(note string) bool {
	key, _, colon := strings.Cut(note, ":")
	key = strings.ToLower(strings.TrimSpace(key))
	for _, d := range directives {
		if d == key {
			return colon || key == "ordered" || key == "unordered" || key == "writes" || key == "check" || key == "expect"
		}
	}
	return false
}

func (r *reader) directive(n int, key, value string) error {
	r.section = ""
	if key == "test" {
		if value == "" {
			return errors.New("a test needs a name: `-- test: Finds the customers of Madrid`")
		}
		r.tests = append(r.tests, &test{id: r.file.Path + "::" + value, name: value, source: r.file.Path, line: n, settings: r.head})
		return nil
	}
	set := &r.head
	var t *test
	if len(r.tests) > 0 {
		t = r.tests[len(r.tests)-1]
		set = &t.settings
	}
	if done, err := set.set(key, value, r.near); done || err != nil {
		return err
	}
	if t == nil {
		return fmt.Errorf("`-- %s` belongs to a test, and none has begun: put it below `-- test:`", key)
	}
	r.section = key
	switch key {
	case "reference":
		if value == "" {
			return nil
		}
		r.section = ""
		f, ok := r.files[r.near(value)]
		if !ok {
			return fmt.Errorf("there is no file %s", value)
		}
		t.reference = text(f)
	case "expect":
		return r.expect(t, value)
	case "before", "check":
		if value != "" {
			return fmt.Errorf("the SQL of `-- %s:` begins on the next line", key)
		}
	}
	return nil
}

// near is a file's path as another file of the same folder calls it.
func (r *reader) near(name string) string {
	if beside := path.Join(path.Dir(r.file.Path), name); r.files[beside].Path != "" {
		return beside
	}
	return name
}

// set sets what may also stand at the head of the file.
func (s *settings) set(key, value string, near func(string) string) (bool, error) {
	switch key {
	case "statement", "tolerance", "points":
		return true, s.number(key, value)
	case "file":
		s.file = value
	case "ordered", "unordered":
		s.order = key
	case "columns":
		if value != "any" && value != "names" {
			return true, fmt.Errorf("columns is %q: it must be names or any", value)
		}
		s.anyNames = value == "any"
	case "task":
		s.task = value
	case "writes":
		s.writes = true
	case "expect-error":
		if value == "" {
			value = "*"
		}
		s.wantError = value
	case "tables":
		s.tables = list(value)
	case "setup", "data":
		names := list(value)
		for i := range names {
			names[i] = near(names[i])
		}
		if key == "setup" {
			s.setup = names
		} else {
			s.dataNames = names
		}
	default:
		return false, nil
	}
	return true, nil
}

// number sets what is a number.
func (s *settings) number(key, value string) error {
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case key == "statement" && err == nil && n >= 1 && n <= 10_000 && n == math.Trunc(n):
		s.statement = int(n)
	case key == "tolerance" && err == nil && n >= 0:
		s.tolerance = n
	case key == "points" && err == nil && n > 0 && n <= 1000:
		s.weight = n
	default:
		return fmt.Errorf("%s is %q: it must be a number, for a statement a whole one from 1, for points up to 1000", key, value)
	}
	return nil
}

func list(value string) []string {
	out := []string{}
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// expect begins a table, or takes it from a file.
func (r *reader) expect(t *test, value string) error {
	t.expected = &literal{}
	r.form, r.table = "table", nil
	switch value {
	case "", "table":
		return nil
	case "csv":
		r.form = "csv"
		return nil
	case "nothing", "no rows":
		r.section = ""
		return nil
	}
	f, ok := r.files[r.near(value)]
	if !ok {
		return fmt.Errorf("expect is %q: it must be empty, csv, nothing, or the name of a CSV file", value)
	}
	r.section = ""
	var err error
	t.expected, err = readCSV(text(f))
	return err
}

func (r *reader) endTable() error {
	if r.section != "expect" {
		return nil
	}
	r.section = ""
	t := r.tests[len(r.tests)-1]
	if len(r.table) == 0 {
		return errors.New("the table below `-- expect:` is missing; for no rows write `-- expect: nothing`")
	}
	var err error
	if r.form == "csv" {
		t.expected, err = readCSV(strings.Join(r.table, "\n"))
		return err
	}
	t.expected, err = readTable(r.table)
	return err
}

// readTable reads a Markdown table. Without the line of dashes all are rows.
func readTable(lines []string) (*literal, error) {
	out := &literal{}
	for i, line := range lines {
		cells := cellsOf(line)
		if i == 1 && strings.Trim(line, "|-: ") == "" && strings.Contains(line, "-") {
			out.columns, out.rows = out.rows[0], nil
			continue
		}
		if width := out.width(); width >= 0 && len(cells) != width {
			return nil, fmt.Errorf("the row %s has %d cells, the table has %d columns", line, len(cells), width)
		}
		out.rows = append(out.rows, cells)
	}
	return out, nil
}

func (l *literal) width() int {
	switch {
	case l.columns != nil:
		return len(l.columns)
	case len(l.rows) > 0:
		return len(l.rows[0])
	}
	return -1
}

// cellsOf splits a row at its bars; \| is a bar in a cell.
func cellsOf(line string) []string {
	line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "|"), "|")
	var out []string
	for part := range strings.SplitSeq(strings.ReplaceAll(line, `\|`, "\x00"), "|") {
		out = append(out, strings.ReplaceAll(strings.TrimSpace(part), "\x00", "|"))
	}
	return out
}

func readCSV(s string) (*literal, error) {
	rows, err := csv.NewReader(strings.NewReader(s)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the expected table: %w", err)
	}
	if len(rows) == 0 {
		return nil, errors.New("the expected table is empty: its first line names the columns")
	}
	return &literal{columns: rows[0], rows: rows[1:]}, nil
}
