package main

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// splitStep runs the tests in one process and the submission in another. What
// decides, the tests and the values that they expect, is never in the
// submission's sandbox.
func splitStep(req *validator.Request, l layout, opts options) (validator.Step, error) {
	settings := job(req, l, opts)
	taken := []string{}
	var tests, submission []validator.File
	for _, f := range l.files {
		switch mine := slices.Contains(l.names, f.Path); {
		case mine && strings.HasSuffix(f.Path, ".py"):
			submission = append(submission, f)
		case mine:
			submission = append(submission, f)
			if mentions(req.Task.Tests, f.Path) { // as data: what runs it runs it over there
				tests = append(tests, f)
			}
		default:
			taken = append(taken, f.Path)
			tests = append(tests, f)
		}
	}
	extra, _ := given(req, l)
	submission = append(submission, extra...)
	settings["task_files"], settings["trust_equality"] = taken, opts.TrustEquality
	var sources [][]byte // read by the tests' process, as texts
	for _, name := range l.names {
		if f := req.Submission.File(name); f != nil {
			sources = append(sources, f.Content)
		}
	}
	settings["sources"] = sources
	var starter [][]byte // tells which names a star may bring
	for _, f := range req.Task.Starter {
		if strings.HasSuffix(f.Path, ".py") {
			starter = append(starter, f.Content)
		}
	}
	if starter != nil && mentioned(req.Task.Tests, "import *") {
		settings["starter"] = starter
	}
	of, err := process("tests", "tests", req.Nonce, settings)
	if err != nil {
		return validator.Step{}, err
	}
	by, err := process("submission", "submission", "", map[string]any{"tops": tops(l.names)})
	if err != nil {
		return validator.Step{}, err
	}
	of.Files, of.Channel = append(of.Files, tests...), true
	by.Files, by.Channel = append(by.Files, submission...), true
	return validator.Step{
		ID: stepSplit, Runtime: "python", Stage: "test", Limits: req.Task.Limits, Processes: []validator.Process{of, by},
	}, nil
}

var (
	importLine = regexp.MustCompile(`(?m)^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import|import[ \t]+([\w., \t]+))`)
	tellsOn    = regexp.MustCompile(`(?i)test|expect|solution|answer|conftest|case|result`)
)

// given are the task's files that the submission needs as well: those the
// learner was given, empty package files, and where the task does not say what
// the learner was given, data that the submission mentions and no test does and
// modules that the submission imports, unless their name says that they hold
// what is expected. The last two are a guess (true): they may hold it all the
// same, so the run does not count as split, and where split is required only
// what the task names as given is.
func given(req *validator.Request, l layout) ([]validator.File, bool) {
	guessed := false
	imported := map[string]bool{}
	for _, f := range req.Submission.Files {
		for _, m := range importLine.FindAllSubmatch(f.Content, -1) {
			for name := range strings.SplitSeq(string(m[1])+","+string(m[2]), ",") {
				name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
				imported[name] = true
				imported[path.Base(strings.ReplaceAll(name, ".", "/"))] = true
			}
		}
	}
	var starter []string
	for _, f := range req.Task.Starter {
		starter = append(starter, f.Path)
	}
	var out []validator.File
	for _, f := range req.Task.Tests {
		if !slices.ContainsFunc(l.files, func(o validator.File) bool { return o.Path == f.Path }) {
			continue
		}
		base := path.Base(f.Path)
		stem, isPython := strings.CutSuffix(base, ".py")
		switch {
		case slices.Contains(starter, f.Path):
		case base == "__init__.py" && len(bytes.TrimSpace(f.Content)) == 0:
		case req.Task.RequiredIntegrity != validator.IntegritySplit && len(starter) == 0 && isPython && !slices.Contains(l.modules, f.Path) && imported[stem] && !tellsOn.MatchString(f.Path):
			guessed = true
		case req.Task.RequiredIntegrity != validator.IntegritySplit && len(starter) == 0 && !isPython && !mentions(req.Task.Tests, f.Path) && mentions(req.Submission.Files, f.Path):
			guessed = true
		default:
			continue
		}
		f.Writable = !isPython
		out = append(out, f)
	}
	return out, guessed
}

func mentioned(tests []validator.File, base string) bool {
	return slices.ContainsFunc(tests, func(f validator.File) bool {
		return strings.HasSuffix(f.Path, ".py") && bytes.Contains(f.Content, []byte(base))
	})
}

// mentions says whether code speaks of a file: by its name, its folder's, or that
// of all of its kind.
func mentions(code []validator.File, name string) bool {
	if mentioned(code, path.Base(name)) || path.Ext(name) != "" && mentioned(code, "*"+path.Ext(name)) {
		return true
	}
	dir := path.Base(path.Dir(name))
	return dir != "." && slices.ContainsFunc([]string{dir + "/", "'" + dir + "'", `"` + dir + `"`}, func(s string) bool { return mentioned(code, s) })
}

// inseparable says why tests and submission need one process, or "" when the
// tests did not ask for it.
func inseparable(req *validator.Request) string {
	run := req.Result(stepSplit)
	if run == nil || run.Process("tests") == nil {
		return ""
	}
	if f := run.Process("tests").File(eventsFile); f != nil {
		for _, e := range readEvents(f.Content, req.Nonce) {
			if e.Kind == "cannot_carry" {
				return e.Reason
			}
		}
	}
	return ""
}
