package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/validator-command/internal/reports"
	"github.com/goals-tracker/tracker/sdk/validator"
)

func (p *plugin) judge(_ context.Context, req *validator.Request) (*validator.Report, error) {
	l, err := p.arrange(req)
	if err != nil {
		return nil, err
	}
	r := &validator.Report{Integrity: validator.IntegritySplit, Versions: map[string]string{"validator-command": p.version}}
	if v := req.Toolchain[l.lang.Name]; v != "" {
		r.Versions[l.lang.Name] = v
	}
	for _, name := range l.left {
		r.Findings = append(r.Findings, leftOut(name))
	}
	if len(l.code) == 0 {
		r.Verdict, r.Summary = validator.Invalid, nothing(l.lang)
		return r, nil
	}
	if done, err := l.compiled(r, req); done || err != nil {
		return r, err
	}
	if l.format != "cases" && l.lang.Mode == "together" {
		r.Integrity = validator.IntegrityShared
	}
	if len(req.Task.Tests) == 0 {
		return l.alone(r, req)
	}
	if l.format == "cases" {
		l.judgeCases(r, req)
	} else {
		err = l.judgeReports(r, req)
	}
	if err != nil {
		return nil, err
	}
	r.Score = validator.Score(r.Tests)
	r.Summary = summary(r)
	return r, nil
}

// compiled reads what check and build said; true when that is the verdict.
func (l *layout) compiled(r *validator.Report, req *validator.Request) (bool, error) {
	for i := range req.Results {
		res := &req.Results[i]
		if res.StepID != stepBuild && !strings.HasPrefix(res.StepID, "check") || res.Outcome == validator.OutcomeSkipped {
			continue
		}
		p := res.Process("main")
		if p == nil {
			return false, fmt.Errorf("step %s was not executed: %s", res.StepID, res.Outcome)
		}
		said := string(p.Stderr) + "\n" + string(p.Stdout)
		failed := res.Outcome != validator.OutcomeExited || p.ExitCode != 0
		l.find(r, req, said, failed)
		if !failed {
			continue
		}
		r.Verdict = validator.Invalid
		r.Output = strings.TrimSpace(said)
		r.Summary = invalid(r)
		return true, nil
	}
	return false, nil
}

// alone reports on a run without tests: it proves nothing but that it runs.
func (l *layout) alone(r *validator.Report, req *validator.Request) (*validator.Report, error) {
	r.Verdict, r.Summary = validator.Unproven, summaryUnproven
	res := req.Result(caseID(0))
	if l.format != "cases" || res == nil && l.entry == "" {
		return r, nil
	}
	if res == nil || res.Process("submission") == nil {
		return nil, errors.New("the program was not run")
	}
	p := res.Process("submission")
	r.Output = strings.TrimRight(string(p.Stdout)+string(p.Stderr), "\n")
	if v := limit(res.Outcome); v != "" {
		r.Verdict = v
		r.Summary = summary(r)
	} else if p.ExitCode != 0 || res.Outcome == validator.OutcomeKilled {
		r.Verdict = validator.Failed
		r.Summary = exitCode(0, p.ExitCode, firstLine(p.Stderr), false)
	}
	return r, nil
}

// limit is the verdict of a limit that was met, "" when none was.
func limit(o validator.Outcome) validator.Verdict {
	switch o {
	case validator.OutcomeTimedOut:
		return validator.TimedOut
	case validator.OutcomeOutOfMemory:
		return validator.OutOfMemory
	case validator.OutcomeOutputLimit:
		return validator.OutputLimit
	default:
		return ""
	}
}

func (l *layout) judgeCases(r *validator.Report, req *validator.Request) {
	if l.entry == "" {
		for i := range l.cases {
			r.Tests = append(r.Tests, validator.Test{ID: l.cases[i].Name, Name: l.cases[i].Name, Status: validator.Error, Message: noEntry(l)})
		}
		r.Verdict = validator.Failed
		return
	}
	r.Verdict = validator.Passed
	for i := range l.cases {
		res := req.Result(caseID(i))
		t := judgeCase(&l.cases[i], res, l.opts)
		r.Tests = append(r.Tests, t)
		if t.Status != validator.Pass && r.Verdict == validator.Passed {
			r.Verdict = validator.Failed
		}
		if res != nil {
			if v := limit(res.Outcome); v != "" && (r.Verdict == validator.Failed || r.Verdict == validator.Passed) {
				r.Verdict = v
			}
		}
	}
}

// judgeReports reads what the test command has reported.
func (l *layout) judgeReports(r *validator.Report, req *validator.Request) error {
	k := &verdicts{layout: l, report: r, nonce: req.Nonce}
	for i := 0; ; i++ {
		res := req.Result(testID(i))
		if res == nil {
			break
		}
		name := ""
		if uses(l.lang.Test, "test") {
			name = l.tests[i]
		}
		if err := k.read(res, name); err != nil {
			return err
		}
	}
	if k.steps == 0 {
		return errors.New("the test command was not run")
	}
	k.expected()
	k.decide()
	return nil
}

// verdicts collects what the steps of the test command come to.
type verdicts struct {
	*layout
	report *validator.Report
	nonce  string
	steps  int
	limit  validator.Verdict
	broken bool
}

// read reads the report of one step.
func (k *verdicts) read(res *validator.StepResult, file string) error {
	k.steps++
	role := "tests"
	if k.lang.Mode == "together" {
		role = "main"
	}
	p := res.Process(role)
	if p == nil {
		return fmt.Errorf("the test command was not executed: %s", res.Outcome)
	}
	content, said := k.reported(p)
	k.report.Output = strings.TrimSpace(k.report.Output + "\n" + said)
	k.find(k.report, nil, said, false)
	if v := limit(res.Outcome); v != "" && k.limit == "" {
		k.limit = v
	}
	parsed, err := reports.Parse(reports.Format(k.format), content)
	prefix := ""
	if file != "" {
		prefix = file + "::"
	}
	var tests []reports.Test
	if parsed != nil {
		tests = parsed.Tests
	}
	for i := range tests {
		k.report.Tests = append(k.report.Tests, asTest(&tests[i], prefix))
	}
	if err != nil && k.limit == "" && k.lang.Mode == "apart" && p.File(ranFile) == nil {
		// Nothing of the learner's has run: the tests themselves are at fault.
		return fmt.Errorf("the tests of %s report nothing that can be read (exit code %d, %s): %w", or(file, "the task"), p.ExitCode, firstLine(p.Stderr), err)
	}
	if err != nil {
		k.fault(prefix+"report", unreadable(err))
		return nil
	}
	k.doubt(prefix, parsed, content, res.Outcome, p.ExitCode)
	return nil
}

// doubt adds what speaks against a report that could be read.
func (k *verdicts) doubt(prefix string, r *reports.Report, content []byte, o validator.Outcome, code int) {
	explained := code == 0 || slices.ContainsFunc(r.Tests, bad)
	switch {
	case r.Stopped != "":
		k.fault(prefix+"Bail out!", stopped(r.Stopped))
	case k.opts.Nonce && !strings.Contains(string(content), k.nonce):
		k.fault(prefix+"report", textForged)
	case o == validator.OutcomeKilled && k.lang.Mode == "together" || !explained:
		k.fault(prefix+"exit code", endedBadly(code))
	}
}

// reported is the report of a process, and what else it said.
func (k *verdicts) reported(p *validator.ProcessResult) (content []byte, said string) {
	if k.lang.Report == "" {
		return p.Stdout, string(p.Stderr)
	}
	said = string(p.Stdout) + string(p.Stderr)
	for i := range p.Collected {
		if p.Collected[i].Path != ranFile {
			return p.Collected[i].Content, said
		}
	}
	return nil, said
}

func bad(t reports.Test) bool { return t.Status == reports.Fail || t.Status == reports.Error }

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// fault adds a test that failed of what is wrong with the report as a whole.
func (k *verdicts) fault(id string, m validator.Message) {
	k.broken = true
	for slices.ContainsFunc(k.report.Tests, func(t validator.Test) bool { return t.ID == id }) {
		id += "'"
	}
	k.report.Tests = append(k.report.Tests, validator.Test{ID: id, Name: id, Status: validator.Error, Message: m})
}

func asTest(t *reports.Test, prefix string) validator.Test {
	out := validator.Test{
		ID: prefix + t.Name, Name: t.Name, Output: strings.TrimRight(t.Output, "\n"), Duration: t.Duration,
		Expected: t.Expected, Actual: t.Actual,
		Status: map[reports.Status]validator.TestStatus{reports.Pass: validator.Pass, reports.Fail: validator.Fail, reports.Skip: validator.Skip}[t.Status],
	}
	if out.Status == "" {
		out.Status = validator.Error
	}
	switch {
	case t.Message != "":
		out.Message = validator.Verbatim("command.said", t.Message)
	case t.Expected != "" || t.Actual != "":
		out.Message = validator.Text("command.compared", "The test expected {expected}, but got {actual}.", "La prueba esperaba {expected}, pero obtuvo {actual}.", "expected", short(t.Expected), "actual", short(t.Actual))
	case out.Status != validator.Pass && out.Status != validator.Skip:
		out.Message = textFailed
	}
	return out
}

// expected demands that what the task names has reported, and nothing is hidden
// behind a namesake.
func (k *verdicts) expected() {
	for _, name := range k.opts.Expect {
		found := slices.IndexFunc(k.report.Tests, func(t validator.Test) bool { return t.ID == name || t.Name == name })
		switch {
		case found < 0:
			k.report.Tests = append(k.report.Tests, validator.Test{ID: name, Name: name, Status: validator.Error, Message: textUnreported})
		case k.report.Tests[found].Status == validator.Skip:
			k.report.Tests[found].Status, k.report.Tests[found].Message = validator.Error, textSkipped
		}
	}
	if n := k.opts.ExpectCount; n > 0 && len(k.report.Tests) != n && !k.broken {
		k.fault("report", otherCount(n, len(k.report.Tests)))
	}
	names := map[string]int{}
	for i := range k.report.Tests {
		names[k.report.Tests[i].ID]++
	}
	if k.lang.Mode == "together" {
		for i := range k.report.Tests {
			t := &k.report.Tests[i]
			if base, _, twice := strings.Cut(t.ID, " #2"); twice && names[base] > 0 && t.Status == validator.Pass {
				t.Status, t.Message = validator.Error, textTwice
			}
		}
	}
}

func (k *verdicts) decide() {
	r := k.report
	if k.limit != "" {
		r.Verdict = k.limit
		return
	}
	passes := 0
	for i := range r.Tests {
		switch r.Tests[i].Status {
		case validator.Pass:
			passes++
		case validator.Fail, validator.Error:
			r.Verdict = validator.Failed
			return
		case validator.Skip:
		}
	}
	r.Verdict = validator.Passed
	if passes == 0 {
		r.Verdict = validator.Unproven
	}
}
