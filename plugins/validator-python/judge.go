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
	opts := req.Options.(options)
	l := arrange(req, opts)
	r := &validator.Report{Integrity: validator.IntegrityShared, Versions: map[string]string{"validator-python": version}}
	for _, name := range l.dropped {
		r.Findings = append(r.Findings, leftOut(name))
	}
	if len(l.names) == 0 {
		r.Verdict = validator.Invalid
		r.Summary = validator.Text("python.nothing", "There is no file to judge: submit your Python file.", "No hay ningún archivo que evaluar: envía tu archivo de Python.")
		return r, nil
	}
	c, err := check(req)
	if err != nil {
		return nil, err
	}
	if c == nil {
		r.Verdict = validator.Invalid
		r.Summary = validator.Text("python.unreadable", "Python could not read your files: they are too large or nested too deeply.", "Python no pudo leer tus archivos: son demasiado grandes o tienen demasiados niveles anidados.")
		return r, nil
	}
	if len(c.BrokenTests) > 0 {
		return nil, validator.TaskErrorf("the task's tests can't be read: %s", strings.Join(c.BrokenTests, "; "))
	}
	r.Findings = append(r.Findings, ruleFindings(c, &req.Submission, opts.IgnoreRules)...)
	if len(c.Syntax) > 0 {
		for i := range c.Syntax {
			r.Findings = append(r.Findings, syntaxFinding(&c.Syntax[i], &req.Submission))
		}
		r.Verdict = validator.Invalid
		first := c.Syntax[0]
		r.Summary = validator.Text("python.syntax", "Python can't read {file} yet: see line {line}.", "Python todavía no puede leer {file}: mira la línea {line}.", "file", first.File, "line", first.Line)
		return r, nil
	}
	run, role := req.Result(stepShared), "main"
	if run == nil && len(l.modules) > 0 {
		if reason := inseparable(req); reason != "" {
			return nil, validator.TaskErrorf("the task requires integrity split, but %s, for which tests and submission need one process: change the tests or allow shared", reason)
		}
		run, role = req.Result(stepSplit), "tests"
		if _, guessed := given(req, l); !guessed {
			r.Integrity = validator.IntegritySplit
		}
	}
	if run == nil {
		if l.entry == "" && len(l.modules) == 0 {
			r.Verdict = validator.Unproven
			r.Summary = summaryUnproven
			return r, nil
		}
		return nil, errors.New("the run step has no result")
	}
	proc := run.Process(role)
	if proc == nil {
		return nil, fmt.Errorf("the run step was not executed: %s", run.Outcome)
	}
	var events []event
	if f := proc.File(eventsFile); f != nil {
		events = readEvents(f.Content, req.Nonce)
		addLines(events, req.Task.Tests)
	}
	if len(l.modules) == 0 {
		return script(r, run, events)
	}
	return tests(r, l, c, judged(run), events)
}

// judged leaves out of a step how the submission's process ended, unless it met
// a limit: the tests say what came of it.
func judged(run *validator.StepResult) *validator.StepResult {
	tests := run.Process("tests")
	if tests == nil || run.Outcome != validator.OutcomeKilled {
		return run
	}
	out := *run
	out.Outcome = tests.Outcome
	return &out
}

// tests turns the events of a test run into the report.
func tests(r *validator.Report, l layout, c *checked, run *validator.StepResult, events []event) (*validator.Report, error) {
	k := collect(events)
	if k.noFramework != "" {
		return nil, fmt.Errorf("the tests need %s, which is not installed on this machine", k.noFramework)
	}
	if k.taskError != "" {
		return nil, validator.TaskErrorf("the task's tests can't be judged: %s", k.taskError)
	}
	for name, v := range k.versions {
		r.Versions[name] = v
	}
	r.Tests = k.tests
	seen := map[string]bool{}
	for _, t := range k.tests {
		seen[t.ID] = true
		if base, _, ok := strings.Cut(t.ID, "["); ok {
			seen[base] = true
		}
	}
	missing := func(id, file string) {
		if seen[id] {
			return
		}
		seen[id] = true
		t := validator.Test{ID: id, Name: nameOf(id), Status: validator.Error, Message: k.unreported(id, file, run)}
		if k.skipsFile(file) {
			t.Status, t.Message = validator.Skip, k.skippedFiles[file]
		}
		r.Tests = append(r.Tests, t)
	}
	for _, file := range l.modules {
		for _, id := range c.Expected[file] {
			missing(id, file)
		}
	}
	for _, id := range k.collected {
		missing(id, fileOf(id))
	}
	for file, m := range k.brokenFiles {
		if !slices.ContainsFunc(r.Tests, func(t validator.Test) bool { return fileOf(t.ID) == file }) {
			r.Tests = append(r.Tests, validator.Test{ID: file, Name: file, Status: validator.Error, Message: m})
		}
	}
	if len(r.Tests) == 0 && k.finished {
		return nil, validator.TaskErrorf("the task's test files hold no test: %s", strings.Join(l.modules, ", "))
	}
	slices.SortStableFunc(r.Tests, func(a, b validator.Test) int { return strings.Compare(fileOf(a.ID), fileOf(b.ID)) })
	r.Score = validator.Score(r.Tests)
	r.Output = strings.TrimRight(k.output+printed(run, k), "\n")
	r.Verdict = verdict(r, k, run)
	r.Summary = summary(r)
	return r, nil
}

// printed is what the processes wrote past the runner, on standard error only
// when the runner did not come to its end.
func printed(run *validator.StepResult, k *collected) string {
	var out strings.Builder
	for _, p := range run.Processes {
		out.Write(p.Stdout)
		if !k.finished {
			out.Write(p.Stderr)
		}
	}
	return out.String()
}

func verdict(r *validator.Report, k *collected, run *validator.StepResult) validator.Verdict {
	switch {
	case run.Outcome == validator.OutcomeTimedOut:
		return validator.TimedOut
	case run.Outcome == validator.OutcomeOutOfMemory || k.memoryError:
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
		}
	}
	if !k.finished || k.groupError {
		return validator.Failed
	}
	if passes == 0 {
		// Nothing failed and nothing passed: all tests were skipped.
		return validator.Unproven
	}
	return validator.Passed
}

// script reports on a run without tests: it proves nothing but that it runs.
func script(r *validator.Report, run *validator.StepResult, events []event) (*validator.Report, error) {
	proc := run.Process("main")
	k := collect(events)
	r.Output = strings.TrimRight(k.output+string(proc.Stdout), "\n")
	switch {
	case run.Outcome == validator.OutcomeTimedOut:
		r.Verdict = validator.TimedOut
	case run.Outcome == validator.OutcomeOutOfMemory || k.memoryError:
		r.Verdict = validator.OutOfMemory
	case run.Outcome == validator.OutcomeOutputLimit || k.outputLimit:
		r.Verdict = validator.OutputLimit
	case k.script != nil:
		r.Verdict, r.Summary = validator.Failed, explain(k.script)
		return r, nil
	case run.Outcome == validator.OutcomeKilled:
		r.Verdict = validator.Failed
	default:
		r.Verdict, r.Summary = validator.Unproven, summaryUnproven
		return r, nil
	}
	r.Summary = summary(r)
	return r, nil
}

func fileOf(id string) string { f, _, _ := strings.Cut(id, "::"); return f }

func nameOf(id string) string {
	if _, name, ok := strings.Cut(id, "::"); ok {
		return name
	}
	return id
}
