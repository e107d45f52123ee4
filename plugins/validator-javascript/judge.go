package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

func judge(_ context.Context, req *validator.Request) (*validator.Report, error) {
	opts := optionsOf(req)
	l := arrange(req)
	r := &validator.Report{Integrity: validator.IntegrityShared, Versions: map[string]string{"validator-javascript": version}}
	for _, name := range l.dropped {
		r.Findings = append(r.Findings, leftOut(name))
	}
	if len(l.names) == 0 {
		r.Verdict = validator.Invalid
		r.Summary = validator.Text("js.nothing", "There is no file to judge: submit your code.", "No hay ningún archivo que evaluar: envía tu código.")
		return r, nil
	}
	if l.typed {
		if done, err := types(r, req, opts); done || err != nil {
			return r, err
		}
	}
	run, role, apart := req.Result("again"), "main", false
	if run == nil {
		run = req.Result("run")
		if l.apart {
			role, apart = "tests", true
		}
	}
	switch {
	case run == nil && l.entry == "" && len(l.modules) == 0:
		r.Verdict, r.Summary = validator.Unproven, summaryUnproven
		return r, nil
	case run == nil:
		return nil, errors.New("the run step has no result")
	case run.Process(role) == nil:
		return nil, fmt.Errorf("the run step was not executed: %s", run.Outcome)
	}
	if len(l.modules) == 0 {
		return program(r, req, run)
	}
	if apart {
		r.Integrity = validator.IntegritySplit
	}
	return tests(r, req, &l, run, role)
}

// types reports what the compiler says; true when that is the verdict.
func types(r *validator.Report, req *validator.Request, opts options) (bool, error) {
	res := req.Result("compile")
	if res == nil || res.Process("main") == nil {
		return false, errors.New("the compile step has no result")
	}
	if res.Outcome != validator.OutcomeExited {
		r.Verdict = validator.Invalid
		r.Summary = validator.Text("ts.unreadable", "The TypeScript compiler did not come to an end with your files: they are too large or their types too involved.",
			"El compilador de TypeScript no pudo terminar con tus archivos: son demasiado grandes o sus tipos demasiado complejos.")
		return true, nil
	}
	c, err := readCompiled(res)
	if err != nil {
		return false, err
	}
	if len(c.Broken) > 0 {
		b := c.Broken[0]
		return false, validator.TaskErrorf("the task's tests can't be read: %s:%d: %s", b.File, b.Line, b.En)
	}
	r.Versions["typescript"] = c.Version
	var first *validator.Finding
	for i := range c.Submission {
		f := typeFinding(&c.Submission[i])
		if f.Severity != validator.SeverityError && slices.Contains(opts.IgnoreRules, f.Rule) {
			continue
		}
		if len(r.Findings) < 200 {
			r.Findings = append(r.Findings, f)
		}
		if f.Severity == validator.SeverityError && first == nil {
			first = &f
		}
	}
	r.Findings = append(r.Findings, testTypes(c.Tests)...)
	if first == nil {
		return false, nil
	}
	r.Verdict = validator.Invalid
	if first.Line == 0 {
		r.Summary = validator.Text("ts.unreadable", "{file} does not compile yet.", "{file} todavía no compila.", "file", first.File)
		return true, nil
	}
	r.Summary = validator.Text("ts.invalid", "{file} does not compile yet: see line {line}.", "{file} todavía no compila: mira la línea {line}.", "file", first.File, "line", first.Line)
	return true, nil
}

// tests turns the events of a test run into the report.
func tests(r *validator.Report, req *validator.Request, l *layout, run *validator.StepResult, role string) (*validator.Report, error) {
	k := collect(eventsOf(run, role, req.Nonce))
	for name, v := range k.versions {
		r.Versions[name] = v
	}
	if len(k.syntax) > 0 {
		for i := range k.syntax {
			r.Findings = append(r.Findings, syntaxFinding(&k.syntax[i], &req.Submission))
		}
		r.Verdict = validator.Invalid
		r.Summary = syntaxSummary(&k.syntax[0])
		return r, nil
	}
	if k.lacks[1] != "" {
		return nil, validator.TaskErrorf("the task's test file %s imports %s, which is neither among the task's files nor built in: add it to the task as node_modules/%s, or write the test without it", k.lacks[0], k.lacks[1], k.lacks[1])
	}
	r.Tests = k.reported(run)
	for _, file := range l.modules {
		if slices.ContainsFunc(r.Tests, func(t validator.Test) bool { return fileOf(t.ID) == file }) {
			continue
		}
		t := validator.Test{ID: file, Name: file, Status: validator.Error, Message: k.unreported(file, run)}
		if f := k.brokenFiles[file]; f != nil {
			t.Message = explain(f)
			if f.Type == "SyntaxError" && f.Learner == nil && !strings.Contains(f.Message, "does not provide an export") {
				return nil, validator.TaskErrorf("the task's test file %s can't be read: %s", file, f.Message)
			}
		} else if k.finished {
			continue
		}
		r.Tests = append(r.Tests, t)
	}
	if len(r.Tests) == 0 && k.finished {
		return nil, validator.TaskErrorf("the task's test files hold no test: %s", strings.Join(l.modules, ", "))
	}
	slices.SortStableFunc(r.Tests, func(a, b validator.Test) int { return strings.Compare(fileOf(a.ID), fileOf(b.ID)) })
	r.Score = validator.Score(r.Tests)
	r.Output = strings.TrimRight(k.output+string(run.Process(role).Stdout), "\n")
	if !k.finished {
		for i := range run.Processes {
			r.Output += string(run.Processes[i].Stderr)
		}
		r.Output = strings.TrimRight(r.Output, "\n")
	}
	r.Verdict = verdict(r, k, run)
	sayLimit(r)
	r.Summary = summary(r, k)
	return r, nil
}

// reported are the tests that reported, and behind them those that should have.
func (k *collected) reported(run *validator.StepResult) []validator.Test {
	out := k.tests
	seen := map[string]bool{}
	for _, t := range k.tests {
		seen[t.ID] = true
	}
	for _, id := range k.expected {
		if !seen[id] {
			seen[id] = true
			out = append(out, validator.Test{ID: id, Name: nameOf(id), Status: validator.Error, Message: k.unreported(id, run)})
		}
	}
	return out
}

// sayLimit tells the test that met a limit from those that were not reached,
// where all that the tests saw is that the program had ended.
func sayLimit(r *validator.Report) {
	met := map[validator.Verdict]validator.Message{
		validator.TimedOut: textTime, validator.OutOfMemory: textMemory, validator.OutputLimit: textOutput,
	}[r.Verdict]
	if met.IsZero() {
		return
	}
	for i := range r.Tests {
		if r.Tests[i].Message.ID == textEnded.ID {
			r.Tests[i].Message, met = met, textNotReached
		}
	}
}

func verdict(r *validator.Report, k *collected, run *validator.StepResult) validator.Verdict {
	for i := range run.Processes {
		switch p := &run.Processes[i]; {
		case p.Outcome == validator.OutcomeTimedOut:
			return validator.TimedOut
		case p.Outcome == validator.OutcomeOutOfMemory || heapFull(p):
			return validator.OutOfMemory
		case p.Outcome == validator.OutcomeOutputLimit || p.Role == "submission" && p.ExitCode == 5:
			return validator.OutputLimit
		}
	}
	switch {
	case run.Outcome == validator.OutcomeTimedOut:
		return validator.TimedOut
	case run.Outcome == validator.OutcomeOutOfMemory:
		return validator.OutOfMemory
	case run.Outcome == validator.OutcomeOutputLimit || k.outputLimit:
		return validator.OutputLimit
	}
	passes := 0
	for _, t := range r.Tests {
		switch t.Status {
		case validator.Pass:
			passes++
		case validator.Fail, validator.Error:
			return validator.Failed
		case validator.Skip:
		}
	}
	switch {
	case !k.finished:
		return validator.Failed
	case passes == 0:
		// Nothing failed and nothing passed: all tests were skipped.
		return validator.Unproven
	}
	return validator.Passed
}

// heapFull says whether V8 gave up before the sandbox did.
func heapFull(p *validator.ProcessResult) bool {
	return p.Signal == 6 && strings.Contains(string(p.Stderr), "heap out of memory")
}

func fileOf(id string) string { f, _, _ := strings.Cut(id, "::"); return f }

func nameOf(id string) string {
	if _, name, ok := strings.Cut(id, "::"); ok {
		return name
	}
	return id
}
