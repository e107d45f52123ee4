package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// layout is where everything lies.
type layout struct {
	lang   *language
	opts   options
	format string
	code   []validator.File // the learner's files of code
	data   []validator.File // the learner's other files
	cases  []ioCase
	given  []validator.File // the task's files that the program may read
	tests  []string         // the files that the test command is given
	entry  string
	left   []string
}

func (p *plugin) arrange(req *validator.Request) (*layout, error) {
	l := &layout{}
	l.lang, l.opts = p.of(req)
	var err error
	if l.cases, l.given, err = readCases(req.Task.Tests, l.lang); err != nil {
		return nil, err
	}
	if len(l.cases) > maxCases {
		return nil, validator.TaskErrorf("the task has %d cases; at most %d are possible", len(l.cases), maxCases)
	}
	for _, f := range req.Task.Tests {
		if l.lang.isTest(f.Path) {
			l.tests = append(l.tests, f.Path)
		}
	}
	slices.Sort(l.tests)
	if l.format = l.opts.Format; l.format == "auto" {
		l.format = "cases"
		if len(l.cases) == 0 && len(l.tests) > 0 && len(l.lang.Test) > 0 {
			l.format = l.lang.Format
		}
	}
	l.submission(req)
	l.entry = l.main(l.opts.Entry)
	return l, l.check(req)
}

// submission takes the learner's files, but for those that are the task's or
// would lie in the way of what judges.
func (l *layout) submission(req *validator.Request) {
	taken := map[string]bool{judgeDir: true}
	apart := l.format != "cases" && l.lang.Mode == "apart"
	for _, f := range req.Task.Tests {
		taken[f.Path] = true
	}
	for _, f := range req.Submission.Files {
		top, _, _ := strings.Cut(f.Path, "/")
		if judging.CheckPath(f.Path) != nil || strings.ContainsFunc(f.Path, func(r rune) bool { return r < ' ' }) || top == judgeDir {
			l.left = append(l.left, f.Path)
			continue
		}
		if taken[f.Path] || blocked(taken, f.Path) {
			continue // the task's own file counts
		}
		taken[f.Path] = true
		code := l.lang.isCode(f.Path) || apart && l.runs(f, req.Task.Tests)
		f.Writable = !code
		if code {
			f.Executable = true
			l.code = append(l.code, f)
		} else {
			l.data = append(l.data, f)
		}
	}
}

// blocked says whether a file lies where a folder is needed, or the reverse.
func blocked(taken map[string]bool, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if taken[dir] {
			return true
		}
	}
	for other := range taken {
		if strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

func (l *layout) main(wanted string) string {
	if wanted == "" {
		wanted = l.lang.DefaultFile
	}
	for _, f := range l.code {
		if f.Path == wanted {
			return f.Path
		}
	}
	if len(l.code) == 1 && l.opts.Entry == "" {
		return l.code[0].Path
	}
	return ""
}

// check refuses what the task's author must change.
func (l *layout) check(req *validator.Request) error {
	switch {
	case l.format == "cases" && len(l.lang.Run) == 0:
		return fmt.Errorf("cases need a command that runs a program: language %s has no run in its settings", l.lang.Name)
	case l.format != "cases" && len(l.lang.Test) == 0:
		return fmt.Errorf("format %s needs a command that runs tests: language %s has no test in its settings", l.format, l.lang.Name)
	case l.format != "cases" && len(l.tests) == 0 && len(req.Task.Tests) > 0:
		return validator.TaskErrorf("none of the task's files is a test: they are named as %s", strings.Join(l.lang.TestGlobs, ", "))
	case l.format == "cases" && len(l.cases) == 0 && len(req.Task.Tests) > 0:
		return validator.TaskErrorf("the task's tests hold no case: NAME.in with NAME.out, or cases.json")
	case req.OneProcess && l.format != "cases" && l.lang.Mode != "together":
		return fmt.Errorf("tests of language %s take two processes, which this server can't keep apart: it runs without isolation", l.lang.Name)
	case l.format != "cases" && l.lang.Mode == "together":
		return l.checkTogether(req)
	}
	return nil
}

// checkTogether refuses tests beside the submission that could prove nothing.
func (l *layout) checkTogether(req *validator.Request) error {
	switch {
	case req.Task.RequiredIntegrity == validator.IntegritySplit:
		return validator.TaskErrorf("the task requires integrity split, but tests of language %s run together with the submission: use cases, or mode apart", l.lang.Name)
	case len(l.tests) > 0 && len(l.opts.Expect) == 0 && l.opts.ExpectCount == 0:
		return errors.New("where tests and submission run together, the task must say in its option expect which tests have to report: a program that ends early reports none")
	}
	return nil
}
