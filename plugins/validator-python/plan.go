package main

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

const (
	// stepCheck reads programs that have no tests. stepSplit keeps tests and
	// submission in two processes, stepShared has both in one.
	stepCheck, stepSplit, stepShared = "check", "split", "run"
	// outputLimit is what tests and submission may print, unless the task says
	// otherwise.
	outputLimit = 1 << 20
)

// layout is where everything lies in the sandbox.
type layout struct {
	files    []validator.File // submission and tests, without our own
	names    []string         // the submission's
	modules  []string         // the test modules
	conftest bool
	dropped  []string // the submission's files that must not take part
	entry    string
}

// errOneProcess is of a machine without namespaces.
var errOneProcess = validator.TaskErrorf("the task requires integrity split, but this server runs without isolation and has one process for tests and submission: allow shared, or mend the server's sandbox")

func plan(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	opts := req.Options.(options)
	l := arrange(req, opts)
	if len(l.names) == 0 {
		return nil, nil
	}
	if len(l.modules) > 0 && !req.OneProcess {
		split, err := splitStep(req, l, opts)
		return []validator.Step{split}, err
	}
	if len(l.modules) > 0 && req.Task.RequiredIntegrity == validator.IntegritySplit {
		return nil, errOneProcess
	}
	p, err := process("main", "check", "", job(req, l, opts))
	if err != nil {
		return nil, err
	}
	p.Files = append(p.Files, l.files...)
	read := validator.Step{
		ID: stepCheck, Runtime: "python", Stage: "compile", StopOnFailure: true,
		Limits:    validator.Limits{Wall: 10 * time.Second, CPU: 10 * time.Second, OutputBytes: 8 << 20},
		Processes: []validator.Process{p},
	}
	if l.entry == "" && len(l.modules) == 0 {
		return []validator.Step{read}, nil
	}
	run, err := sharedStep(req, l, opts)
	return []validator.Step{read, run}, err
}

// more asks for a run in one process where the tests can't be kept apart from
// the submission and the task allows that.
func more(_ context.Context, req *validator.Request) ([]validator.Step, error) {
	opts := req.Options.(options)
	if req.Task.RequiredIntegrity == validator.IntegritySplit || req.Result(stepShared) != nil {
		return nil, nil
	}
	if reason := inseparable(req); reason == "" {
		return nil, nil
	}
	step, err := sharedStep(req, arrange(req, opts), opts)
	return []validator.Step{step}, err
}

// job is what our own programs in the sandbox know of the task.
func job(req *validator.Request, l layout, opts options) map[string]any {
	limit := req.Task.Limits.OutputBytes
	if limit == 0 {
		limit = outputLimit
	}
	return map[string]any{
		"files": l.names, "tests": nonNil(l.modules), "tops": tops(l.names), "conftest": l.conftest,
		"framework": opts.Framework, "entry": l.entry, "output_limit": limit,
	}
}

// sharedStep runs everything in one process: the program where there are no
// tests, and tests that can't be kept apart from the submission. Of test modules
// only the names lie where the submission can read them.
func sharedStep(req *validator.Request, l layout, opts options) (validator.Step, error) {
	settings, hidden := job(req, l, opts), map[string][]byte{}
	files := slices.Clone(l.files)
	for i := range files {
		f := &files[i]
		if slices.Contains(l.modules, f.Path) || path.Base(f.Path) == "conftest.py" {
			hidden[f.Path], f.Content = f.Content, nil
		}
	}
	settings["hidden"] = hidden
	p, err := process("main", "run", req.Nonce, settings)
	if err != nil {
		return validator.Step{}, err
	}
	p.Files = append(p.Files, files...)
	step := validator.Step{ID: stepShared, Runtime: "python", Stage: "test", Limits: req.Task.Limits, Processes: []validator.Process{p}}
	if len(l.modules) == 0 {
		step.Stage = "run"
	}
	return step, nil
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// arrange lays the tests over the submission.
func arrange(req *validator.Request, opts options) layout {
	var l layout
	taken := map[string]bool{} // true for folders
	put := func(f validator.File) bool {
		if judging.CheckPath(f.Path) != nil || strings.ContainsFunc(f.Path, func(r rune) bool { return r < ' ' }) {
			return false
		}
		if _, ok := taken[f.Path]; ok {
			return false
		}
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			if folder, ok := taken[dir]; ok && !folder {
				return false
			}
		}
		taken[f.Path] = false
		for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
			taken[dir] = true
		}
		f.Writable = !strings.HasSuffix(f.Path, ".py")
		l.files = append(l.files, f)
		return true
	}
	taken[judgeDir] = false
	for _, f := range req.Task.Tests {
		if put(f) && path.Base(f.Path) == "conftest.py" {
			l.conftest = true
		}
	}
	l.modules = testModules(req.Task.Tests)
	for _, f := range req.Submission.Files {
		if _, isTest := taken[f.Path]; isTest {
			continue // the task's own file counts
		}
		if takesOver(f.Path) || !put(f) {
			l.dropped = append(l.dropped, f.Path)
			continue
		}
		l.names = append(l.names, f.Path)
	}
	l.entry = entry(l.names, opts.Entry)
	return l
}

// testModules are the files that tests are read from; others help them.
func testModules(tests []validator.File) []string {
	var named, other []string
	for _, f := range tests {
		base := path.Base(f.Path)
		switch stem, ok := strings.CutSuffix(base, ".py"); {
		case !ok || base == "conftest.py" || base == "__init__.py":
		case strings.HasPrefix(stem, "test_") || strings.HasSuffix(stem, "_test") || stem == "tests" || stem == "test":
			named = append(named, f.Path)
		default:
			other = append(other, f.Path)
		}
	}
	if len(named) == 0 {
		named = other
	}
	slices.Sort(named)
	return named
}

// takesOver says whether a submitted file would configure or replace what
// judges, or can't be read by a person.
func takesOver(name string) bool {
	switch path.Base(name) {
	case "conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "sitecustomize.py", "usercustomize.py":
		return true
	}
	switch path.Ext(name) {
	case ".pyc", ".pyo", ".so", ".pyd", ".pth":
		return true
	}
	for part := range strings.SplitSeq(name, "/") {
		switch strings.TrimSuffix(part, ".py") {
		case "pytest", "_pytest", "unittest", "pluggy", "tracker_judge", "__pycache__", judgeDir:
			return true
		}
	}
	return false
}

func entry(names []string, wanted string) string {
	var programs []string
	for _, n := range names {
		if n == wanted && wanted != "" {
			return n
		}
		if strings.HasSuffix(n, ".py") {
			programs = append(programs, n)
		}
	}
	switch {
	case slices.Contains(programs, "main.py"):
		return "main.py"
	case len(programs) == 1:
		return programs[0]
	}
	return ""
}

// tops are the names under which the submission can be imported.
func tops(names []string) []string {
	out := []string{}
	for _, n := range names {
		for part := range strings.SplitSeq(n, "/") {
			if stem := strings.TrimSuffix(part, ".py"); !slices.Contains(out, stem) {
				out = append(out, stem)
			}
		}
	}
	return out
}
