package main

import (
	"fmt"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// cases compares what the program printed; the expected texts never were where
// it ran.
func cases(r *validator.Report, req *validator.Request, l *layout) (*validator.Report, error) {
	r.Integrity = validator.IntegritySplit
	worst := validator.Passed
	for i, c := range l.cases {
		run := req.Result(caseID(i))
		if run == nil || run.Process("main") == nil {
			return nil, fmt.Errorf("case %d was not run", i+1)
		}
		p := run.Process("main")
		name := c.Name
		if name == "" {
			name = caseID(i)
		}
		t := validator.Test{ID: fmt.Sprintf("%s::%s", caseID(i), name), Name: name, Status: validator.Pass, Duration: run.Wall}
		said := settled(string(p.Stderr))
		v := limit(run)
		switch {
		case v != validator.Passed:
			t.Status = validator.Error
			t.Message = map[validator.Verdict]validator.Message{validator.TimedOut: textTooLong, validator.OutOfMemory: textMemory, validator.OutputLimit: textOutput}[v]
		case p.ExitCode == panicCode && strings.Contains(said, "panicked at"):
			t.Status, t.Message = validator.Error, panicText(said)
		case p.Signal != 0:
			t.Status, t.Message = validator.Error, signalText(p.Signal)
		case settle(string(p.Stdout)) != settle(c.Stdout):
			t.Status = validator.Fail
			t.Expected, t.Actual = c.Stdout, string(p.Stdout)
			t.Message = difference(settle(c.Stdout), settle(string(p.Stdout)))
		}
		t.Output = strings.TrimRight(said, "\n")
		if t.Status != validator.Pass && worst == validator.Passed {
			worst = validator.Failed
			if v != validator.Passed {
				worst = v
			}
		}
		r.Tests = append(r.Tests, t)
	}
	r.Score, r.Verdict = validator.Score(r.Tests), worst
	r.Summary = summary(r)
	return r, nil
}

// panicCode is what a Rust program exits with when its main thread panics.
const panicCode = 101

// panicText is the first panic that a program tells of.
func panicText(said string) validator.Message {
	_, rest, _ := strings.Cut(said, "panicked at ")
	at, why, _ := strings.Cut(rest, ":\n")
	if strings.HasPrefix(at, "'") { // as older compilers had it
		why, at, _ = strings.Cut(strings.TrimPrefix(at, "'"), "', ")
	}
	why, _, _ = strings.Cut(why, "\nnote: ")
	at, _, _ = strings.Cut(at, "\n")
	return panicMessage(at, strings.TrimSpace(why), nil)
}

// settle leaves out what nobody sees: spaces at the end of lines, and empty
// lines at the end.
func settle(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func difference(want, got string) validator.Message {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	if got == "" {
		return validator.Text("rust.printed-nothing", "Your program printed nothing.", "Tu programa no imprimió nada.")
	}
	for i := range max(len(w), len(g)) {
		switch {
		case i >= len(g):
			return validator.Text("rust.printed-less", "The output ends after line {line}; {expected} should follow.", "La salida termina tras la línea {line}; debería seguir {expected}.", "line", len(g), "expected", fmt.Sprintf("%q", short(w[i])))
		case i >= len(w):
			return validator.Text("rust.printed-more", "The output should end after line {line}, but {actual} follows.", "La salida debería terminar tras la línea {line}, pero sigue {actual}.", "line", len(w), "actual", fmt.Sprintf("%q", short(g[i])))
		case w[i] != g[i]:
			return validator.Text("rust.printed", "Line {line} of the output should be {expected}, but is {actual}.", "La línea {line} de la salida debería ser {expected}, pero es {actual}.",
				"line", i+1, "expected", fmt.Sprintf("%q", short(w[i])), "actual", fmt.Sprintf("%q", short(g[i])))
		}
	}
	return validator.Message{}
}

// limit says which limit a step met; Passed for none.
func limit(run *validator.StepResult) validator.Verdict {
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

// alone reports on a program without tests: it proves nothing but that it runs.
func alone(r *validator.Report, req *validator.Request) (*validator.Report, error) {
	run := req.Result("run")
	if run == nil || run.Process("main") == nil {
		return nil, fmt.Errorf("the program was not run")
	}
	p := run.Process("main")
	said := settled(string(p.Stderr))
	r.Output = strings.TrimRight(string(p.Stdout)+said, "\n")
	r.Verdict = limit(run)
	switch {
	case r.Verdict != validator.Passed:
		r.Summary = limitSummary(r.Verdict)
	case p.ExitCode == panicCode && strings.Contains(said, "panicked at"):
		r.Verdict, r.Summary = validator.Failed, panicText(said)
	case p.Signal != 0:
		r.Verdict, r.Summary = validator.Failed, signalText(p.Signal)
	case p.ExitCode != 0:
		r.Verdict = validator.Failed
		r.Summary = validator.Text("rust.exit-code", "Your program ended with the exit code {code}.", "Tu programa terminó con el código de salida {code}.", "code", p.ExitCode)
	default:
		r.Verdict, r.Summary = validator.Unproven, summaryUnproven
	}
	return r, nil
}
