package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

const (
	// groupWeight is that of a test which only groups subtests: they count.
	groupWeight = 1e-9
	// frameBytes are for what the harness writes beside the submission.
	frameBytes = 6 << 20
	mostTests  = 4000
)

// outputLimit is what tests and submission may print.
func outputLimit(t *validator.Task) uint64 {
	if t.Limits.OutputBytes > 0 {
		return t.Limits.OutputBytes
	}
	return 1 << 20
}

func judge(_ context.Context, req *validator.Request) (*validator.Report, error) {
	l := arrange(req)
	r := &validator.Report{Integrity: validator.IntegrityShared, Versions: versions(req)}
	if len(l.sources) == 0 {
		r.Verdict, r.Summary = validator.Invalid, textNothing
		r.Findings = l.advice(optionsOf(req).IgnoreRules)
		return r, nil
	}
	if refused := l.refusals(req); len(refused) > 0 {
		r.Verdict, r.Findings = validator.Invalid, refused
		r.Summary = validator.Text("go.refused", "{file} can't be judged as it is: see line {line}.", "{file} no se puede evaluar así: mira la línea {line}.", "file", refused[0].File, "line", refused[0].Line)
		return r, nil
	}
	var suites []*suite
	if l.tested {
		var err error
		if suites, err = l.suites(); err != nil {
			return nil, err
		}
	}
	if done, err := l.compiled(req, r); done || err != nil {
		return r, err
	}
	r.Findings = l.advice(optionsOf(req).IgnoreRules)
	if !l.tested {
		return l.ran(req, r)
	}
	t := &tally{l: l, r: r, req: req}
	for i, s := range suites {
		if err := t.take(&binary{index: i, pkg: s.pkg, suite: s}); err != nil {
			return nil, err
		}
	}
	t.decide()
	return r, nil
}

func versions(req *validator.Request) map[string]string {
	v := map[string]string{"validator-go": version}
	for part := range strings.FieldsSeq(req.Toolchain["go"]) {
		if strings.HasPrefix(part, "go1") {
			v["go"] = strings.TrimPrefix(part, "go")
		}
	}
	return v
}

// compiled reads the compile step; true when it is the verdict.
func (l *layout) compiled(req *validator.Request, r *validator.Report) (bool, error) {
	res := req.Result("compile")
	if res == nil || res.Process("main") == nil {
		return false, errors.New("the compile step has no result")
	}
	p := res.Process("main")
	if res.Outcome != validator.OutcomeExited {
		if machine.archives == "" {
			return false, fmt.Errorf("the compiler did not come to an end (%s): compile the standard library beforehand with plugins/validator-go/toolchain/install", res.Outcome)
		}
		r.Verdict = validator.Invalid
		r.Summary = validator.Text("go.unreadable", "The Go compiler did not come to an end with your files: they are too large or too involved.",
			"El compilador de Go no pudo terminar con tus archivos: son demasiado grandes o demasiado complejos.")
		return true, nil
	}
	var said []byte
	switch p.ExitCode {
	case 0:
		return false, nil
	case exitAlone:
		said = content(p, aloneFile)
	case exitTests:
		said = content(p, testsFile)
	default:
		return false, fmt.Errorf("the compile step ended with %d: %s", p.ExitCode, short(string(p.Stderr)))
	}
	r.Findings = l.findings(diagnostics(said))
	if len(r.Findings) == 0 {
		// Neither file nor line: a symbol that the linker misses, or a fault of ours.
		if line, ok := linkError(string(said)); ok {
			r.Findings = []validator.Finding{{Rule: "linker", Severity: validator.SeverityError, Message: validator.Text("go.linker", "The linker says: {message}", "El enlazador dice: {message}", "message", line)}}
		} else {
			return false, fmt.Errorf("the compiler failed without saying where: %s", short(string(said)))
		}
	}
	r.Verdict, r.Summary = validator.Invalid, invalid(r.Findings)
	return true, nil
}

func linkError(said string) (string, bool) {
	for line := range strings.Lines(said) {
		if strings.Contains(line, "relocation target") || strings.Contains(line, "function main is undeclared") || strings.Contains(line, "missing function body") {
			return strings.TrimSpace(line), true
		}
	}
	return "", false
}

func content(p *validator.ProcessResult, name string) []byte {
	if f := p.File(name); f != nil {
		return f.Content
	}
	return nil
}

// ran reads the run of a submission without tests.
func (l *layout) ran(req *validator.Request, r *validator.Report) (*validator.Report, error) {
	run := req.Result("run")
	if run == nil {
		r.Verdict, r.Summary = validator.Unproven, textCompiles
		return r, nil
	}
	p := run.Process("main")
	if p == nil {
		return nil, fmt.Errorf("the run step was not executed: %s", run.Outcome)
	}
	r.Output = strings.TrimRight(string(p.Stdout)+withoutCrash(string(p.Stderr)), "\n")
	switch {
	case run.Outcome == validator.OutcomeTimedOut:
		r.Verdict = validator.TimedOut
	case run.Outcome == validator.OutcomeOutOfMemory:
		r.Verdict = validator.OutOfMemory
	case run.Outcome == validator.OutcomeOutputLimit:
		r.Verdict = validator.OutputLimit
	case p.ExitCode != 0 || p.Signal != 0:
		r.Verdict = validator.Failed
		r.Summary = validator.Text("go.exit", "Your program ended with code {code}.", "Tu programa terminó con el código {code}.", "code", p.ExitCode)
		if c := crashIn(string(p.Stderr)); c != nil {
			r.Summary = c.message(l)
		}
		return r, nil
	default:
		r.Verdict, r.Summary = validator.Unproven, textUnproven
		return r, nil
	}
	r.Summary = summary(r)
	return r, nil
}

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
	if p.ExitCode == 97 && strings.Contains(string(p.Stdout), "judge: ") {
		return fmt.Errorf("the harness does not work here: %s", short(string(p.Stdout)))
	}
	said := read(p.Stdout, keyOf(t.req.Nonce, b.pkg.dir))
	limit := t.limit(run, said)
	running := said.running()
	groups := map[string]bool{}
	for _, o := range said.tests {
		for name := o.name; strings.Contains(name, "/"); {
			name = name[:strings.LastIndexByte(name, '/')]
			groups[name] = true
		}
	}
	var end *crash
	if running != nil || !said.ended {
		end = crashIn(said.outside.String() + said.last() + string(p.Stderr))
	}
	if end != nil && running == nil && len(said.tests) > 0 {
		end = t.blame(said, end)
	}
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
	for _, id := range b.suite.expected() {
		if slices.ContainsFunc(t.r.Tests, func(x validator.Test) bool { return x.ID == id }) {
			continue
		}
		x := validator.Test{ID: id, Name: nameOf(id), Status: validator.Error, Message: textNotReached}
		if len(said.tests) == 0 {
			x.Message = textEnded
			if end != nil {
				x.Message = end.message(t.l)
			}
		}
		t.r.Tests = append(t.r.Tests, x)
	}
	if said.ended && said.code != 0 || !said.ended && p.ExitCode != 0 {
		t.unclean = true
	}
	t.output.WriteString(withoutCrash(said.outside.String()))
	return nil
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

func nameOf(id string) string {
	if _, name, ok := strings.Cut(id, "::"); ok {
		return name
	}
	return id
}
