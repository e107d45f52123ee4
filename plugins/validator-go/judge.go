package main

import (
	"context"
	"errors"
	"fmt"
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

func nameOf(id string) string {
	if _, name, ok := strings.Cut(id, "::"); ok {
		return name
	}
	return id
}
