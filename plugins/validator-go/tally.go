package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// tally adds up the test binaries of a run.
type tally struct {
	l   *layout
	r   *validator.Report
	req *validator.Request
	// met is the first limit that a binary met.
	met     validator.Verdict
	unclean bool
	output  strings.Builder
}

// take reads what one binary reported.
func (t *tally) take(b *binary) error {
	run := t.req.Result(b.step())
	if run == nil || run.Process("main") == nil {
		return fmt.Errorf("step %s has no result", b.step())
	}
	p := run.Process("main")
	said := read(p.Stdout, keyOf(t.req.Nonce, b.pkg.dir))
	if why := said.fault(p); why != "" {
		return fmt.Errorf("the harness does not work here: %s", short(why))
	}
	limit := t.limit(run, said)
	running := said.running()
	end := t.crash(said, running, p)
	groups := said.groups()
	for _, o := range said.tests {
		if len(t.r.Tests) >= mostTests && strings.Contains(o.name, "/") {
			continue
		}
		x := t.test(b, o, end, o == running, limit)
		if groups[o.name] && (x.Status == validator.Pass || childFailed(said, o.name)) {
			x.Weight = groupWeight
			if x.Status == validator.Fail && o.log.Len() == 0 {
				x.Message, x.Expected, x.Actual = textGroup, "", ""
			}
		}
		t.r.Tests = append(t.r.Tests, x)
	}
	t.missing(b, len(said.tests) == 0, end)
	if said.ended && said.code != 0 || !said.ended && p.ExitCode != 0 {
		t.unclean = true
	}
	t.output.WriteString(withoutCrash(said.outside.String()))
	return nil
}

// fault is what the harness could not do: signed, or said before it had a key.
func (r *reported) fault(p *validator.ProcessResult) string {
	if !r.begun && p.ExitCode == 97 && strings.HasPrefix(string(p.Stdout), "judge: ") {
		return string(p.Stdout)
	}
	return r.broken
}

// crash is what ended the process, when no test has it on its account.
func (t *tally) crash(said *reported, running *outcome, p *validator.ProcessResult) *crash {
	if running == nil && said.ended {
		return nil
	}
	end := crashIn(said.outside.String() + said.last() + string(p.Stderr))
	if end != nil && running == nil && len(said.tests) > 0 {
		return t.blame(said, end)
	}
	return end
}

// missing adds the expected tests that did not report.
func (t *tally) missing(b *binary, silent bool, end *crash) {
	for _, id := range b.suite.expected() {
		if slices.ContainsFunc(t.r.Tests, func(x validator.Test) bool { return x.ID == id }) {
			continue
		}
		x := validator.Test{ID: id, Name: nameOf(id), Status: validator.Error, Message: textNotReached}
		switch {
		case silent && end != nil:
			x.Message = end.message(t.l)
		case silent:
			x.Message = textEnded
		}
		t.r.Tests = append(t.r.Tests, x)
	}
}

// groups are the tests that have subtests.
func (r *reported) groups() map[string]bool {
	out := map[string]bool{}
	for _, o := range r.tests {
		for name := o.name; strings.Contains(name, "/"); {
			name = name[:strings.LastIndexByte(name, '/')]
			out[name] = true
		}
	}
	return out
}

// blame gives a crash outside of tests to the one that ended last, when it has
// no panic yet: package testing ends a test before the process.
func (t *tally) blame(said *reported, end *crash) *crash {
	for i := len(said.tests) - 1; i >= 0; i-- {
		if o := said.tests[i]; o.status == validator.Fail && o.panicked == nil && strings.Contains(said.outside.String()+o.output.String(), end.value) {
			o.panicked = end
			return nil
		}
	}
	return end
}

func childFailed(said *reported, name string) bool {
	return slices.ContainsFunc(said.tests, func(o *outcome) bool {
		return strings.HasPrefix(o.name, name+"/") && o.status != validator.Pass && o.status != validator.Skip
	})
}

// last is the output of the test that ran last.
func (r *reported) last() string {
	if r.current != nil {
		return r.current.output.String()
	}
	return ""
}

// limit is the limit that the run met, or empty.
func (t *tally) limit(run *validator.StepResult, said *reported) validator.Verdict {
	p := run.Process("main")
	var v validator.Verdict
	switch {
	case run.Outcome == validator.OutcomeTimedOut || p.Outcome == validator.OutcomeTimedOut:
		v = validator.TimedOut
	case run.Outcome == validator.OutcomeOutOfMemory || p.Outcome == validator.OutcomeOutOfMemory,
		!said.ended && strings.Contains(said.outside.String()+said.last(), "fatal error: runtime: cannot allocate memory"),
		!said.ended && strings.Contains(said.outside.String()+said.last(), "fatal error: runtime: out of memory"):
		v = validator.OutOfMemory
	case run.Outcome == validator.OutcomeOutputLimit || uint64(said.printed) > outputLimit(&t.req.Task):
		v = validator.OutputLimit
	}
	if t.met == "" {
		t.met = v
	}
	return v
}

// test makes the report of one test.
func (t *tally) test(b *binary, o *outcome, end *crash, running bool, limit validator.Verdict) validator.Test {
	x := validator.Test{
		ID: b.suite.id(o.name), Name: o.name, Status: o.status, Duration: o.duration, Output: strings.TrimRight(withoutCrash(o.output.String()), "\n"),
	}
	log := failureText(o.log.String())
	switch {
	case o.panicked != nil:
		x.Status, x.Message = validator.Error, o.panicked.message(t.l)
	case o.status == validator.Pass:
	case o.status == validator.Skip:
		x.Message = validator.Text("go.skipped", "Skipped: {reason}", "Omitida: {reason}", "reason", short(log))
		if log == "" {
			x.Message = validator.Text("go.skipped", "Skipped.", "Omitida.")
		}
	case o.status == validator.Fail:
		x.Message, x.Expected, x.Actual = failed(o, log)
	case !running && (end != nil || limit != ""):
		x.Status, x.Message = validator.Error, textNotReached
	case limit != "":
		x.Status = validator.Error
		x.Message = map[validator.Verdict]validator.Message{validator.TimedOut: textTime, validator.OutOfMemory: textMemory, validator.OutputLimit: textOutput}[limit]
	case end != nil:
		x.Status, x.Message = validator.Error, end.message(t.l)
	default:
		x.Status, x.Message = validator.Error, textEnded
	}
	return x
}

// failed says what a test has found.
func failed(o *outcome, log string) (m validator.Message, expected, actual string) {
	if log == "" {
		return validator.Text("go.failed", "The test failed.", "La prueba falló."), "", ""
	}
	if body, ok := strings.CutPrefix(log, "got:\n"); ok && strings.HasPrefix(o.name, "Example") {
		if got, want, ok := strings.Cut(body, "\nwant:\n"); ok {
			return validator.Text("go.example", "The example printed:\n{actual}\nIt should print:\n{expected}", "El ejemplo imprimió:\n{actual}\nDebería imprimir:\n{expected}",
				"actual", short(got), "expected", short(want)), want, got
		}
	}
	expected, actual = compared(log)
	return validator.Text("go.failed-saying", "The test says: {message}", "La prueba dice: {message}", "message", short(log)), expected, actual
}

// decide sets the verdict.
func (t *tally) decide() {
	r := t.r
	r.Score = validator.Score(r.Tests)
	r.Output = strings.TrimRight(t.output.String(), "\n")
	passes, bad := 0, false
	for i := range r.Tests {
		switch r.Tests[i].Status {
		case validator.Pass:
			passes++
		case validator.Fail, validator.Error:
			bad = true
		case validator.Skip:
		}
	}
	switch {
	case t.met != "":
		r.Verdict = t.met
	case bad:
		r.Verdict = validator.Failed
	case t.unclean:
		// TestMain looked for something after the tests and did not like it.
		r.Verdict, r.Summary = validator.Failed, textAfter
		return
	case passes == 0:
		r.Verdict = validator.Unproven
	default:
		r.Verdict = validator.Passed
	}
	r.Summary = summary(r)
}
