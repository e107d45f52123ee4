package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/validator-sql/internal/sqltext"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// suite is what a task's files say.
type suite struct {
	schema   []validator.File
	datasets []validator.File // none means that the schema is all
	tests    []*test
	files    map[string]validator.File
}

// test is one question to a submission.
type test struct {
	id, name string
	source   string // the test file, "" for one that a reference implies
	line     int
	settings
	before    string
	check     string
	reference string // SQL
	expected  *literal
}

// settings are what a test may set, or the head of its file for all.
type settings struct {
	file      string // the learner's
	statement int
	order     string // "", ordered, unordered
	anyNames  bool
	tolerance float64
	weight    float64
	task      string
	writes    bool
	wantError string
	tables    []string
	setup     []string
	dataNames []string
}

// literal is a table that is written into a test.
type literal struct {
	columns []string // nil when only rows are given
	rows    [][]string
}

// mark says what a task's file is for by its name.
func mark(name string) string {
	base := strings.ToLower(path.Base(name))
	stem, ok := strings.CutSuffix(base, ".sql")
	dir := strings.ToLower(path.Base(path.Dir(name)))
	switch {
	case !ok:
		return ""
	case stem == "solution" || strings.HasSuffix(stem, ".solution") || dir == "solution" || dir == "solutions":
		return "solution"
	case strings.HasPrefix(stem, "schema"):
		return "schema"
	case strings.HasPrefix(stem, "seed") || strings.HasPrefix(stem, "data"):
		return "data"
	}
	return "sql"
}

// readSuite reads the task's files. An error is its author's.
func readSuite(task *validator.Task, opts options) (*suite, error) {
	s := &suite{files: map[string]validator.File{}}
	for _, f := range slices.Concat(task.Starter, task.Tests) {
		s.files[f.Path] = f
	}
	var solutions []validator.File
	for _, f := range relevant(task) {
		switch mark(f.Path) {
		case "schema":
			s.schema = append(s.schema, f)
		case "data":
			s.datasets = append(s.datasets, f)
		case "solution":
			solutions = append(solutions, f)
		case "sql":
			if !strings.Contains(strings.ToLower(string(f.Content)), "-- test:") {
				continue
			}
			tests, err := readTests(f, s.files, opts)
			if err != nil {
				return nil, err
			}
			s.tests = append(s.tests, tests...)
		}
	}
	for _, t := range s.tests {
		if err := s.complete(t, solutions); err != nil {
			return nil, fmt.Errorf("%s:%d: test %q: %w", t.source, t.line, t.name, err)
		}
	}
	if len(s.tests) == 0 {
		for _, f := range solutions {
			s.tests = append(s.tests, implied(f, opts))
		}
	}
	seen := map[string]bool{}
	for _, t := range s.tests {
		if seen[t.id] {
			return nil, fmt.Errorf("%s:%d: there are two tests %q: give each a name of its own", t.source, t.line, t.name)
		}
		seen[t.id] = true
	}
	return s, nil
}

// relevant are the files that make the tests, by name. Where only the starter
// files say what the database is, they count.
func relevant(task *validator.Task) []validator.File {
	database := func(f validator.File) bool { m := mark(f.Path); return m == "schema" || m == "data" }
	all := slices.Clone(task.Tests)
	if !slices.ContainsFunc(all, database) {
		for _, f := range task.Starter {
			if database(f) {
				all = append(all, f)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b validator.File) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// implied is the test of a reference without a test file: the same result.
func implied(f validator.File, opts options) *test {
	t := &test{id: f.Path, name: learnersName(f.Path), reference: text(f), settings: opts.settings()}
	t.file = learnersName(f.Path)
	return t
}

// learnersName is what a learner's file is called that answers to a task's file.
func learnersName(name string) string {
	base := path.Base(name)
	for _, middle := range []string{".solution.sql", ".test.sql"} {
		if stem, ok := strings.CutSuffix(base, middle); ok {
			return stem + ".sql"
		}
	}
	return base
}

// complete finds what a test compares with.
func (s *suite) complete(t *test, solutions []validator.File) error {
	if t.reference == "" && t.expected == nil && t.wantError == "" {
		for _, f := range solutions {
			if learnersName(f.Path) == t.file || len(solutions) == 1 {
				t.reference = text(f)
			}
		}
		if t.reference == "" {
			return fmt.Errorf("nothing says what is expected: add a line `-- expect:` with a table, `-- reference:` with a file or SQL, or a file solution.sql")
		}
	}
	if t.wantError != "" && t.check == "" {
		return fmt.Errorf("`-- expect-error:` is about a statement of the test's own: add it below `-- check:`")
	}
	for _, name := range slices.Concat(t.setup, t.dataNames) {
		if _, ok := s.files[name]; !ok {
			return fmt.Errorf("there is no file %s", name)
		}
	}
	return nil
}

// variant is a test on one set of data.
type variant struct {
	*test
	id     string
	data   string // key of the data
	texts  []string
	hidden bool // further sets are not shown, so that nobody writes answers for them
}

// variants are all that is to be run. What a test file spells out as a table
// holds for the first set of data only, unless it names others.
func (s *suite) variants() []variant {
	out := make([]variant, 0, len(s.tests)*max(1, len(s.datasets)))
	for _, t := range s.tests {
		var setup []validator.File
		for _, name := range t.setup {
			setup = append(setup, s.files[name])
		}
		if t.setup == nil {
			setup = s.schema
		}
		sets := s.datasets
		switch {
		case t.dataNames != nil:
			sets = nil
			for _, name := range t.dataNames {
				sets = append(sets, s.files[name])
			}
		case t.setup != nil:
			sets = nil
		case t.expected != nil && len(sets) > 1:
			sets = sets[:1]
		}
		if len(sets) == 0 {
			sets = []validator.File{{}}
		}
		for i, data := range sets {
			v := variant{test: t, id: t.id, texts: []string{}, hidden: i > 0}
			if len(sets) > 1 {
				v.id += " [" + data.Path + "]"
			}
			for _, f := range setup {
				v.texts = append(v.texts, text(f))
				v.data += f.Path + "\n"
			}
			if data.Path != "" {
				v.texts = append(v.texts, text(data))
				v.data += data.Path
			}
			out = append(out, v)
		}
	}
	return out
}

// text is a file as SQL can hold it.
func text(f validator.File) string {
	return strings.TrimPrefix(strings.ToValidUTF8(string(f.Content), "\ufffd"), "\ufeff")
}

// script is one of the learner's files.
type script struct {
	file       string
	text       string
	statements []sqltext.Statement
	lines      *sqltext.Lines
}

func readScript(f validator.File, d sqltext.Dialect) *script {
	content := strings.ToValidUTF8(string(f.Content), "\ufffd")
	return &script{file: f.Path, text: content, statements: sqltext.Split(content, d), lines: sqltext.NewLines(content)}
}
