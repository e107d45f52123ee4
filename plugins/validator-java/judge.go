package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

func judge(_ context.Context, req *validator.Request) (*validator.Report, error) {
	l := arrange(req)
	r := &validator.Report{Integrity: validator.IntegrityShared, Versions: map[string]string{"validator-java": version}}
	for _, name := range l.dropped {
		r.Findings = append(r.Findings, leftOut(name))
	}
	if len(l.main) == l.given {
		r.Verdict = validator.Invalid
		r.Summary = validator.Text("java.nothing", "There is no Java file to judge: submit your code as .java files.", "No hay ningún archivo de Java que evaluar: envía tu código en archivos .java.")
		return r, nil
	}
	run := req.Result("run")
	if run == nil {
		return nil, errors.New("the run step has no result")
	}
	p := run.Process("main")
	if p == nil {
		return nil, fmt.Errorf("the run step was not executed: %s", run.Outcome)
	}
	k := collect(eventsOf(p, req.Nonce))
	for name, v := range k.versions {
		r.Versions[name] = v
	}
	if done, err := compilation(r, req, k, run, p); done || err != nil {
		return r, err
	}
	if len(l.tests) == 0 {
		return program(r, k, run, p), nil
	}
	return tests(r, k, run, p)
}

// compilation reports what the compiler says; true when that is the verdict.
func compilation(r *validator.Report, req *validator.Request, k *collected, run *validator.StepResult, p *validator.ProcessResult) (bool, error) {
	if k.submission == nil {
		return true, unsaid(r, req, k, run, p)
	}
	first := compilerFindings(r, k.submission, optionsOf(req))
	switch t := k.testSources; {
	case !k.submission.OK:
		r.Verdict = validator.Invalid
		r.Summary = summaryUnreadable
		if first != nil && first.File != "" {
			r.Summary = validator.Text("java.invalid", "{file} does not compile yet: see line {line}.", "{file} todavía no compila: mira la línea {line}.", "file", first.File, "line", first.Line)
		}
		return true, nil
	case k.refused != nil:
		r.Verdict, r.Summary = validator.Invalid, summaryRefused
		r.Findings = append(r.Findings, refused(k.refused))
		return true, nil
	case k.hides != nil:
		r.Verdict, r.Summary = validator.Invalid, summaryRefused
		r.Findings = append(r.Findings, hides(k.hides))
		return true, nil
	case t != nil && !t.OK:
		return true, unfit(r, t)
	}
	return false, nil
}

// unsaid reports on a run that does not say whether the submission compiles.
func unsaid(r *validator.Report, req *validator.Request, k *collected, run *validator.StepResult, p *validator.ProcessResult) error {
	switch {
	case notStarted.Match(p.Stderr) || len(req.Task.Tests) > 0 && run.Outcome == validator.OutcomeExited:
		return fmt.Errorf("the judge did not start (exit code %d): %.500s", p.ExitCode, p.Stderr)
	case run.Outcome == validator.OutcomeTimedOut:
		r.Verdict = validator.TimedOut
		r.Summary = summary(r)
	case len(req.Task.Tests) == 0 && k.versions == nil:
		// A program may have removed what says that it compiled.
		*r = *program(r, k, run, p)
	default:
		r.Verdict, r.Summary = validator.Invalid, summaryUnreadable
	}
	return nil
}

// compilerFindings adds what the compiler says of the submission and returns
// the first error.
func compilerFindings(r *validator.Report, c *event, opts options) *diagnostic {
	var first *diagnostic
	for i := range c.Diagnostics {
		d := &c.Diagnostics[i]
		if !d.Error && (slices.Contains(opts.IgnoreRules, d.Code) || !mattersToLearners(d.Code)) {
			continue
		}
		if len(r.Findings) < 200 {
			r.Findings = append(r.Findings, finding(d))
		}
		if d.Error && first == nil {
			first = d
		}
	}
	return first
}

// notStarted is what a JVM says that never came to the judge.
var notStarted = regexp.MustCompile(`Error occurred during initialization of VM|Error: Could not (?:find or load main class tracker|create the Java)|Unable to access jarfile|Unrecognized VM option`)

// unfit reports that the tests can't be compiled with the submission.
func unfit(r *validator.Report, t *event) error {
	for i := range t.Diagnostics {
		d := &t.Diagnostics[i]
		if !d.Error {
			continue
		}
		if t.ParseFailed || notTheirs.MatchString(d.Message) {
			return validator.TaskErrorf("the task's tests can't be compiled: %s:%d: %s", d.File, d.Line, d.Message)
		}
		if len(r.Findings) < 200 {
			r.Findings = append(r.Findings, misfit(d))
		}
	}
	if t.GaveUp != "" {
		return validator.TaskErrorf("the task's tests can't be compiled: %s", t.GaveUp)
	}
	for _, x := range t.Tests {
		r.Tests = append(r.Tests, validator.Test{ID: x.ID, Name: x.Name, TaskID: x.Task, Status: validator.Error, Message: textUnfit})
	}
	r.Verdict = validator.Invalid
	r.Summary = validator.Text("java.unfit", "The tests can't be compiled with your code: something that they use is missing or has another form.",
		"Las pruebas no compilan con tu código: algo que usan falta o tiene otra forma.")
	return nil
}

// notTheirs are libraries that no learner could have supplied.
var notTheirs = regexp.MustCompile(`package (?:org\.(?:junit|assertj|mockito|hamcrest|springframework|apache)|com\.google|io\.reactivex|lombok)\S* does not exist`)

// tests turns the events of a test run into the report.
func tests(r *validator.Report, k *collected, run *validator.StepResult, p *validator.ProcessResult) (*validator.Report, error) {
	r.Tests = k.tests
	seen := map[string]bool{}
	for _, t := range k.tests {
		seen[t.ID] = true
	}
	for _, x := range k.expected {
		if _, done := k.containers[x.ID]; !done && !seen[x.ID] {
			r.Tests = append(r.Tests, validator.Test{ID: x.ID, Name: x.Name, TaskID: x.Task, Status: validator.Error, Message: k.unreported(x.ID, run)})
		}
	}
	if k.finished && len(r.Tests) == 0 {
		return nil, validator.TaskErrorf("the task's test files hold no test")
	}
	if k.stopped != nil && len(k.expected) == 0 {
		return nil, validator.TaskErrorf("the task's tests can't be found: %s: %s", k.stopped.Type, k.stopped.Message)
	}
	k.sorted(r.Tests)
	r.Score = validator.Score(r.Tests)
	r.Output = strings.TrimRight(k.output, "\n")
	r.Verdict = verdict(r, k, run, p)
	r.Summary = summary(r)
	return r, nil
}

func verdict(r *validator.Report, k *collected, run *validator.StepResult, p *validator.ProcessResult) validator.Verdict {
	switch {
	case run.Outcome == validator.OutcomeTimedOut || k.timedOut:
		return validator.TimedOut
	case run.Outcome == validator.OutcomeOutOfMemory || k.memory || outOfMemory(p):
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
	case !k.finished || len(k.broken) > 0:
		return validator.Failed
	case passes == 0:
		// Nothing failed and nothing passed: all tests were skipped.
		return validator.Unproven
	}
	return validator.Passed
}

// outOfMemory says whether the JVM itself gave up for want of memory.
func outOfMemory(p *validator.ProcessResult) bool {
	return p.ExitCode != 0 && strings.Contains(string(p.Stderr), "insufficient memory")
}

// program reports on a run without tests: it proves nothing but that it runs.
func program(r *validator.Report, k *collected, run *validator.StepResult, p *validator.ProcessResult) *validator.Report {
	r.Output = strings.TrimRight(string(p.Stdout), "\n")
	switch {
	case run.Outcome == validator.OutcomeTimedOut:
		r.Verdict = validator.TimedOut
	case run.Outcome == validator.OutcomeOutOfMemory || outOfMemory(p) || k.thrown != nil && k.thrown.Type == "java.lang.OutOfMemoryError":
		r.Verdict = validator.OutOfMemory
	case run.Outcome == validator.OutcomeOutputLimit:
		r.Verdict = validator.OutputLimit
	case k.thrown != nil:
		r.Verdict, r.Summary = validator.Failed, explain(k.thrown)
		return r
	case run.Outcome == validator.OutcomeKilled:
		r.Verdict = validator.Failed
	case p.ExitCode != 0:
		r.Verdict = validator.Failed
		r.Summary = validator.Text("java.exit-code", "Your program ended with the exit code {code}.", "Tu programa terminó con el código de salida {code}.", "code", p.ExitCode)
		return r
	case k.submission == nil:
		r.Verdict = validator.Failed
	case k.program == nil || k.program.Name == "":
		r.Verdict, r.Summary = validator.Unproven, summaryCompiles
		return r
	default:
		r.Verdict, r.Summary = validator.Unproven, summaryUnproven
		return r
	}
	r.Summary = summary(r)
	return r
}
