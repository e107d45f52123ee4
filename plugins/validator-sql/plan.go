package main

import (
	"context"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/plugins/validator-sql/internal/sqltext"
	"github.com/goals-tracker/tracker/sdk/validator"
)

const (
	judgeDir    = ".judge"
	resultsFile = judgeDir + "/results"
	// stepReference runs the task's own statements, stepSubmission the learner's.
	stepReference, stepSubmission = "reference", "submission"
	maxVariants                   = 500
)

// run is one test on one set of data, as the engine gets it.
type run struct {
	ID         string   `json:"id"`
	Data       string   `json:"data"`
	Before     string   `json:"before,omitempty"`
	Statements []string `json:"statements"`
	Only       int      `json:"only,omitempty"`
	Writes     bool     `json:"writes"`
	Checks     []string `json:"checks,omitempty"`
	Tables     []string `json:"tables,omitempty"`
}

// job is what the engine does in one step.
type job struct {
	Dialect string `json:"dialect"`
	// Timeout of a statement in ms, where the server keeps one: what it takes
	// to start a server is not the learner's time.
	Timeout int64               `json:"timeout,omitempty"`
	Data    map[string][]string `json:"data"`
	Runs    []run               `json:"runs"`
}

// layout is what is to be run, read from the files anew in every call.
type layout struct {
	suite    *suite
	variants []variant
	scripts  map[string]*script // the learner's, by path
	names    []string           // of those, sorted
	byTest   map[*test]*script  // nil when the learner has no such file
}

func arrange(req *validator.Request) (*layout, error) {
	opts := optionsOf(req)
	s, err := readSuite(&req.Task, opts)
	if err != nil {
		return nil, validator.TaskErrorf("read the task's tests: %v", err)
	}
	l := &layout{suite: s, variants: s.variants(), scripts: map[string]*script{}, byTest: map[*test]*script{}}
	if len(l.variants) > maxVariants {
		return nil, validator.TaskErrorf("the task has %d tests, counted once for each set of data; at most %d are possible", len(l.variants), maxVariants)
	}
	for _, f := range req.Submission.Files {
		if !strings.EqualFold(path.Ext(f.Path), ".sql") || strings.HasSuffix(strings.ToLower(f.Path), ".test.sql") {
			continue // tests are the task's alone
		}
		if m := mark(f.Path); m == "schema" || m == "data" {
			if _, given := s.files[f.Path]; given {
				continue // the task's own copy counts
			}
		}
		l.scripts[f.Path] = readScript(f, opts.dialect())
		l.names = append(l.names, f.Path)
	}
	slices.Sort(l.names)
	l.match()
	return l, nil
}

// match finds the learner's file for each test: the one of its name, or else
// the only one that is no other test's.
func (l *layout) match() {
	taken := map[string]bool{}
	for _, t := range l.suite.tests {
		for _, name := range l.names {
			if name == t.file || l.byTest[t] == nil && strings.EqualFold(path.Base(name), path.Base(t.file)) {
				l.byTest[t] = l.scripts[name]
				taken[name] = true
			}
		}
	}
	rest := slices.DeleteFunc(slices.Clone(l.names), func(n string) bool { return taken[n] })
	for _, t := range l.suite.tests {
		if l.byTest[t] == nil && len(rest) == 1 {
			l.byTest[t] = l.scripts[rest[0]]
		}
	}
}

func plan(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	l, err := arrange(req)
	if err != nil || len(l.names) == 0 {
		return nil, err
	}
	opts := optionsOf(req)
	if opts.Dialect == "postgres" && postgresBin == "" {
		return nil, errors.New("the task needs PostgreSQL, which is not installed below " + postgresHome + " on this machine")
	}
	theirs, reference := l.jobs(opts)
	var steps []validator.Step
	if len(reference.Runs) > 0 {
		step, err := engineStep(stepReference, "tests", reference, validator.Limits{Wall: 30 * time.Second, CPU: 30 * time.Second})
		if err != nil {
			return nil, err
		}
		step.StopOnFailure = true
		steps = append(steps, step)
	}
	step, err := engineStep(stepSubmission, "submission", theirs, req.Task.Limits)
	return append(steps, step), err
}

// jobs are what to run of the learner's and what of the task's own.
func (l *layout) jobs(opts options) (theirs, reference job) {
	theirs = job{Dialect: opts.Dialect, Data: map[string][]string{}}
	reference = job{Dialect: opts.Dialect, Data: map[string][]string{}}
	for i := range l.variants {
		v := &l.variants[i]
		r := v.run(strconv.Itoa(i), opts.dialect())
		if s := l.byTest[v.test]; s != nil {
			theirs.Data[v.data] = v.texts
			mine := r
			mine.Statements, mine.Only = texts(s.statements), v.statement
			theirs.Runs = append(theirs.Runs, mine)
		}
		if v.reference != "" {
			reference.Data[v.data] = v.texts
			r.Statements, r.Writes = texts(sqltext.Split(v.reference, opts.dialect())), true
			reference.Runs = append(reference.Runs, r)
		}
	}
	if len(l.variants) == 0 {
		l.alone(&theirs)
	}
	return theirs, reference
}

// alone runs the learner's files where the task has no tests.
func (l *layout) alone(j *job) {
	setup := []string{}
	for _, f := range l.suite.schema {
		setup = append(setup, text(f))
	}
	if len(l.suite.datasets) > 0 {
		setup = append(setup, text(l.suite.datasets[0]))
	}
	j.Data[""] = setup
	for _, name := range l.names {
		j.Runs = append(j.Runs, run{ID: name, Statements: texts(l.scripts[name].statements), Writes: true})
	}
}

// run is the part that is the same for the learner's and the task's statements.
func (v *variant) run(id string, d sqltext.Dialect) run {
	r := run{ID: id, Data: v.data, Before: v.before, Tables: v.tables}
	r.Checks = texts(sqltext.Split(v.check, d))
	if len(r.Checks) == 0 && r.Tables == nil && v.changes(d) {
		r.Tables = []string{"*"}
	}
	r.Writes = v.writes || len(r.Checks) > 0 || r.Tables != nil
	return r
}

// changes says whether the reference is a script that leaves something behind.
func (v *variant) changes(d sqltext.Dialect) bool {
	if v.reference == "" {
		return false
	}
	statements := sqltext.Split(v.reference, d)
	return len(statements) > 0 && !statements[len(statements)-1].Reads()
}

func texts(statements []sqltext.Statement) []string {
	out := make([]string, len(statements))
	for i := range statements {
		out[i] = statements[i].Text
	}
	return out
}

func engineStep(id, role string, j job, limits validator.Limits) (validator.Step, error) {
	if j.Dialect == "postgres" {
		limits, j.Timeout = roomy(limits)
	}
	content, err := json.Marshal(j)
	if err != nil {
		return validator.Step{}, err
	}
	files := []validator.File{{Path: judgeDir + "/job.json", Content: content}}
	entries, err := programs.ReadDir("py")
	if err != nil {
		return validator.Step{}, err
	}
	for _, e := range entries {
		content, err := programs.ReadFile("py/" + e.Name())
		if err != nil {
			return validator.Step{}, err
		}
		files = append(files, validator.File{Path: judgeDir + "/" + e.Name(), Content: content})
	}
	return validator.Step{
		ID: id, Runtime: j.Dialect, Stage: "test", Limits: limits,
		Processes: []validator.Process{{
			Role: role, Argv: []string{python, "-I", "-S", "-B", "-X", "utf8", judgeDir + "/engine.py"}, Files: files, Collect: []string{resultsFile},
		}},
	}, nil
}

// roomy leaves a server of PostgreSQL the room and the time that it needs beside
// the learner's, which it bounds itself, in ms.
func roomy(l validator.Limits) (validator.Limits, int64) {
	const start = 15 * time.Second
	wall, cpu := l.Wall, l.CPU
	if wall == 0 {
		wall = 10 * time.Second
	}
	if cpu == 0 {
		cpu = wall
	}
	l.MemoryBytes = max(l.MemoryBytes, 512<<20)
	l.DiskBytes = max(l.DiskBytes, 192<<20)
	l.Wall, l.CPU = wall+start, cpu+start
	return l, min(wall, cpu).Milliseconds()
}
