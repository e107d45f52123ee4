package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
	"github.com/goals-tracker/tracker/plugins/internal/native"
	"github.com/goals-tracker/tracker/sdk/validator"
)

func judge(_ context.Context, req *validator.Request) (*validator.Report, error) {
	l := arrange(req)
	r := &validator.Report{Integrity: validator.IntegrityShared, Versions: map[string]string{"validator-rust": version}}
	if v := req.Toolchain["rust"]; v != "" {
		r.Versions["rustc"] = v
		r.Versions["edition"] = supported(l.manifest.edition, v)
	}
	for _, name := range l.dropped {
		r.Findings = append(r.Findings, words.LeftOut(name))
	}
	if l.root == "" && l.program == "" {
		r.Verdict = validator.Invalid
		r.Summary = validator.Text("rust.nothing", "There is no Rust file to judge: submit src/lib.rs, src/main.rs or a single file.", "No hay ningún archivo de Rust que evaluar: envía src/lib.rs, src/main.rs o un solo archivo.")
		return r, nil
	}
	if len(l.refusals) > 0 {
		return refused(r, l.refusals), nil
	}
	tested := len(l.modules)+len(l.inside) > 0
	for _, id := range []string{"submission", "tests"} {
		if id == "tests" && !tested || id == "submission" && tested && (l.root == "" || len(l.modules) == 0) {
			continue
		}
		if done, err := compiled(r, req, l, id); done || err != nil {
			return r, err
		}
	}
	switch {
	case tested:
		return tests(r, req, l)
	case len(l.cases) > 0:
		return printing.Compare(r, req, l.cases)
	case l.program == "":
		r.Verdict, r.Summary = validator.Unproven, words.Compiles()
		return r, nil
	}
	return printing.Alone(r, req)
}

func refused(r *validator.Report, what []validator.Finding) *validator.Report {
	r.Findings = append(r.Findings, what...)
	r.Verdict = validator.Failed
	r.Summary = validator.Text("rust.refused", "Your code was not run, as it would change what judges it, or uses what the task forbids: see {file}, line {line}.",
		"Tu código no se ejecutó, porque cambiaría lo que lo evalúa o usa lo que la tarea prohíbe: mira {file}, línea {line}.", "file", what[0].File, "line", what[0].Line)
	return r
}

// compiled reads what the compiler says in a step; true when that decides.
func compiled(r *validator.Report, req *validator.Request, l *layout, id string) (bool, error) {
	p, err := words.Compiler(r, req, id, compileLimits.CPU)
	if p == nil || err != nil {
		return true, err
	}
	if f := p.File(judgeDir + "/o/early"); f != nil && len(f.Content) > 0 {
		name, _, _ := strings.Cut(string(f.Content), "\n")
		refused(r, []validator.Finding{{File: l.root, Line: 1, Rule: "linkage", Severity: validator.SeverityError,
			Message: validator.Text("rust.linkage", "{name} changes what the program is linked from, which is not accepted here.", "{name} cambia de qué se enlaza el programa; aquí no se acepta.", "name", name)}})
		return true, nil
	}
	found := diagnose(p, &req.Submission, l, id == "tests", optionsOf(req).IgnoreRules)
	if p.ExitCode == 0 {
		found = slices.DeleteFunc(found, func(f validator.Finding) bool { return f.Severity == validator.SeverityError })
	}
	r.Findings = append(r.Findings, found...)
	if p.ExitCode != 0 {
		words.Invalid(r)
	}
	return p.ExitCode != 0, nil
}

// tests turns the events of all test programs into the report.
func tests(r *validator.Report, req *validator.Request, l *layout) (*validator.Report, error) {
	programs := len(l.modules)
	if len(l.inside) > 0 {
		programs++
	}
	v := validator.Passed
	for i := range programs {
		run := req.Result(runID(i))
		if run == nil || run.Process("main") == nil {
			return nil, fmt.Errorf("the test program %d was not run", i+1)
		}
		name := unitProgram
		if i < len(l.modules) {
			name = l.modules[i]
		}
		k := collect(forkparent.Events(run, req.Nonce), l, name)
		r.Tests = append(r.Tests, k.all(l, name, run)...)
		r.Output += k.output
		if how := k.ended(run); how != validator.Passed && (v == validator.Passed || v == validator.Failed) {
			v = how
		}
	}
	if len(r.Tests) == 0 && v == validator.Passed {
		return nil, validator.TaskErrorf("the task's test files hold no test that runs: %s", strings.Join(append(l.modules, l.inside...), ", "))
	}
	r.Output = strings.TrimRight(r.Output, "\n")
	r.Score = validator.Score(r.Tests)
	r.Verdict = verdict(r.Tests, v)
	r.Summary = words.Summary(r)
	return r, nil
}

// all are the tests of a program, those that did not report included.
func (k *collected) all(l *layout, program string, run *validator.StepResult) []validator.Test {
	out := k.tests
	for _, id := range l.expected {
		if strings.HasPrefix(id, program+"::") && !slices.ContainsFunc(k.tests, func(t validator.Test) bool { return t.ID == id }) {
			out = append(out, validator.Test{ID: id, Name: forkparent.TestName(id), Status: validator.Error, Message: k.Unreported(id, run, words, textEnded)})
		}
	}
	return out
}

// ended says what a program's end means for the verdict; Passed for nothing.
func (k *collected) ended(run *validator.StepResult) validator.Verdict {
	switch {
	case native.Limit(run) != validator.Passed:
		return native.Limit(run)
	case k.OutputLimit:
		return validator.OutputLimit
	case k.Died || !k.Finished:
		return validator.Failed
	}
	return validator.Passed
}

// verdict adds the tests to what the programs' ends mean.
func verdict(tests []validator.Test, v validator.Verdict) validator.Verdict {
	passes := 0
	for _, t := range tests {
		switch t.Status {
		case validator.Pass:
			passes++
		case validator.Fail, validator.Error:
			if v == validator.Passed {
				v = validator.Failed
			}
		case validator.Skip:
		}
	}
	if v == validator.Passed && passes == 0 {
		return validator.Unproven
	}
	return v
}
