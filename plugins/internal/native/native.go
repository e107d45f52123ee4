// Package native is what the judges of languages that compile to native code say
// and do alike: their words about limits, signals and compilers. What tests
// report is read by package forkparent, what programs print by package cases.
package native

import (
	"fmt"
	"time"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// Language is the name that the ids of a plugin's messages begin with.
type Language string

// Text makes a message of the language's.
func (l Language) Text(id, en, es string, params ...any) validator.Message {
	return validator.Text(string(l)+"."+id, en, es, params...)
}

// Compiler returns the process of the compile step id, which may use that much of
// the processor. It returns nil, and the report is complete, when the compiler
// met a limit because of the submission.
func (l Language) Compiler(r *validator.Report, req *validator.Request, id string, cpu time.Duration) (*validator.ProcessResult, error) {
	res := req.Result(id)
	if res == nil || res.Process("main") == nil {
		return nil, fmt.Errorf("the compile step %s has no result", id)
	}
	p := res.Process("main")
	if res.Outcome == validator.OutcomeTimedOut && p.CPU < cpu/2 {
		return nil, fmt.Errorf("the compiler had %s of the processor in %s: the machine is overloaded", p.CPU, res.Wall)
	}
	if res.Outcome != validator.OutcomeExited {
		r.Verdict = validator.Invalid
		r.Summary = l.Text("compiler-limit", "The compiler did not come to an end with your files: they are too large or too involved.",
			"El compilador no pudo terminar con tus archivos: son demasiado grandes o demasiado complejos.")
		return nil, nil
	}
	if p.ExitCode > 1 {
		return nil, fmt.Errorf("compile the judge's own files: exit code %d: %.500s", p.ExitCode, p.Stderr)
	}
	return p, nil
}

// Invalid completes the report on code that does not compile, by its findings.
func (l Language) Invalid(r *validator.Report) {
	r.Verdict = validator.Invalid
	r.Summary = l.Text("invalid", "Your code does not compile yet.", "Tu código todavía no compila.")
	for _, f := range r.Findings {
		if f.Severity != validator.SeverityError {
			continue
		}
		if f.File != "" && f.Line > 0 {
			r.Summary = l.Text("invalid-at", "{file} does not compile yet: see line {line}.", "{file} todavía no compila: mira la línea {line}.", "file", f.File, "line", f.Line)
		} else {
			r.Summary = l.Text("invalid-tests", "Your code does not fit the tests yet: {message}", "Tu código todavía no encaja con las pruebas: {message_es}",
				"message", f.Message.In("en"), "message_es", f.Message.In("es"))
		}
		return
	}
	r.Findings = append(r.Findings, validator.Finding{Rule: "error", Severity: validator.SeverityError,
		Message: l.Text("compiler-failed", "The compiler failed on your files.", "El compilador falló con tus archivos.")})
}

// Limit says which limit a step met; Passed for none.
func Limit(run *validator.StepResult) validator.Verdict {
	switch run.Outcome {
	case validator.OutcomeTimedOut:
		return validator.TimedOut
	case validator.OutcomeOutOfMemory:
		return validator.OutOfMemory
	case validator.OutcomeOutputLimit:
		return validator.OutputLimit
	case validator.OutcomeExited, validator.OutcomeKilled, validator.OutcomeSkipped:
	}
	return validator.Passed
}

// Short cuts what a message quotes.
func Short(s string) string {
	if runes := []rune(s); len(runes) > 300 {
		return string(runes[:300]) + " …"
	}
	return s
}
