package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
	"github.com/goals-tracker/tracker/sdk/validator"
)

func judge(_ context.Context, req *validator.Request) (*validator.Report, error) {
	l := arrange(req)
	r := &validator.Report{Integrity: validator.IntegrityShared, Versions: map[string]string{"validator-c": version}}
	if v := req.Toolchain["gcc"]; v != "" {
		r.Versions["gcc"] = v
	}
	for _, name := range l.dropped {
		r.Findings = append(r.Findings, words.LeftOut(name))
	}
	if len(l.sources)+len(l.headers) == 0 {
		r.Verdict = validator.Invalid
		r.Summary = validator.Text("c.nothing", "There is no C or C++ file to judge: submit your code.", "No hay ningún archivo de C o C++ que evaluar: envía tu código.")
		return r, nil
	}
	if len(l.sources) > 200 {
		r.Verdict = validator.Invalid
		r.Summary = validator.Text("c.too-many", "There are {n} source files; at most 200 are compiled.", "Hay {n} archivos fuente; se compilan 200 como máximo.", "n", len(l.sources))
		return r, nil
	}
	if len(l.refusals) > 0 {
		return refused(r, l.refusals), nil
	}
	for _, id := range []string{"submission", "tests"} {
		if id == "tests" && !l.hasTests() {
			continue
		}
		if done, err := compiled(r, req, l, id); done || err != nil {
			return r, err
		}
	}
	switch {
	case l.hasTests():
		return tests(r, req, l)
	case len(l.cases) > 0:
		return programJudge(&req.Submission).Compare(r, req, l.cases)
	case !l.runnable():
		r.Verdict, r.Summary = validator.Unproven, words.Compiles()
		return r, nil
	}
	return programJudge(&req.Submission).Alone(r, req)
}

func refused(r *validator.Report, what []refusal) *validator.Report {
	for _, x := range what {
		r.Findings = append(r.Findings, x.finding())
	}
	r.Verdict = validator.Failed
	r.Summary = validator.Text("c.refused", "Your code was not run, as it would change what judges it: see {file}, line {line}.",
		"Tu código no se ejecutó, porque cambiaría lo que lo evalúa: mira {file}, línea {line}.", "file", what[0].file, "line", what[0].line)
	return r
}

// compiled reads what the compiler says in a step; true when that decides.
func compiled(r *validator.Report, req *validator.Request, l *layout, id string) (bool, error) {
	p, err := words.Compiler(r, req, id, compileLimits.CPU)
	if p == nil || err != nil {
		return true, err
	}
	if f := p.File(judgeDir + "/o/limited"); f != nil {
		r.Versions["sanitizers"] = "without AddressSanitizer, as this sandbox has no memory cgroup"
	}
	if f := p.File(judgeDir + "/o/early"); f != nil && len(f.Content) > 0 {
		name, _, _ := strings.Cut(string(f.Content), "\n")
		x := refusal{rule: "ifunc", name: name}
		if len(l.sources) > 0 {
			x.file, x.line = l.sources[0], 1
		}
		refused(r, []refusal{x})
		return true, nil
	}
	broken := p.ExitCode != 0
	found := diagnose(p, &req.Submission, id == "tests", optionsOf(req).IgnoreRules)
	if !broken {
		found = slices.DeleteFunc(found, func(f validator.Finding) bool { return f.Severity == validator.SeverityError })
	}
	r.Findings = append(r.Findings, found...)
	if broken {
		words.Invalid(r)
		return true, nil
	}
	if f := p.File(judgeDir + "/o/symbols"); f != nil {
		if bad := overridden(strings.Fields(string(f.Content)), l); len(bad) > 0 {
			refused(r, bad)
			return true, nil
		}
	}
	return false, nil
}

// tests turns the events of a test run into the report.
func tests(r *validator.Report, req *validator.Request, l *layout) (*validator.Report, error) {
	run := req.Result("run")
	if run == nil {
		return nil, errors.New("the run step has no result")
	}
	p := run.Process("main")
	if p == nil {
		return nil, fmt.Errorf("the run step was not executed: %s", run.Outcome)
	}
	k := collect(forkparent.Events(run, req.Nonce), l, &req.Submission)
	r.Tests = k.tests
	r.Findings = append(r.Findings, k.findings...)
	for _, id := range l.expected() {
		if !slices.ContainsFunc(r.Tests, func(t validator.Test) bool { return t.ID == id }) {
			r.Tests = append(r.Tests, validator.Test{ID: id, Name: forkparent.TestName(id), Status: validator.Error, Message: k.Unreported(id, run, words, textEnded)})
		}
	}
	if len(r.Tests) == 0 && k.Finished && !k.Died {
		return nil, validator.TaskErrorf("the task's test files hold no test that runs")
	}
	slices.SortStableFunc(r.Tests, func(a, b validator.Test) int { return strings.Compare(fileOf(a.ID), fileOf(b.ID)) })
	r.Score = validator.Score(r.Tests)
	r.Output = strings.TrimRight(k.output, "\n")
	r.Verdict = verdict(r, k, run)
	if r.Verdict == validator.Passed || r.Verdict == validator.Unproven {
		// A crash after the last test: the tests stand, but so does the finding.
		if len(k.findings) > 0 || k.Died {
			r.Verdict = validator.Failed
		}
	}
	r.Summary = words.Summary(r)
	if k.Died && r.Verdict == validator.Failed && r.Score == 1 {
		r.Summary = validator.Text("c.died", "All tests passed, but the program ended before it was done with them.", "Todas las pruebas pasaron, pero el programa terminó antes de acabar con ellas.")
	}
	return r, nil
}

func verdict(r *validator.Report, k *collected, run *validator.StepResult) validator.Verdict {
	switch {
	case run.Outcome == validator.OutcomeTimedOut:
		return validator.TimedOut
	case run.Outcome == validator.OutcomeOutOfMemory:
		return validator.OutOfMemory
	case run.Outcome == validator.OutcomeOutputLimit || k.OutputLimit:
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
	case !k.Finished:
		return validator.Failed
	case passes == 0:
		return validator.Unproven
	}
	return validator.Passed
}
