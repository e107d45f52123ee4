package judging

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

// scripted is a judge that answers what a test says.
type scripted struct {
	plan []Step
	next []*Decision
	seen []*JudgeRequest
}

type play struct{ *scripted }

func (p play) Describe(context.Context) (*Description, error)           { return nil, nil }
func (p play) Plan(context.Context, *PlanRequest) ([]Step, error)       { return p.plan, nil }
func (p play) Mutate(context.Context, *MutateRequest) ([]Mutant, error) { return nil, ErrNoMutants }
func (p play) Judge(_ context.Context, r *JudgeRequest) (*Decision, error) {
	c := *r
	p.seen = append(p.seen, &c)
	d := p.next[0]
	if len(p.next) > 1 {
		p.next = p.next[1:]
	}
	return d, nil
}

// ran executes nothing: it collects a file of the step's name and exits with
// what the program is called.
type ran struct{ steps []Step }

func (r *ran) Execute(_ context.Context, _ *Description, s *Step) (*StepResult, error) {
	r.steps = append(r.steps, *s)
	if s.Processes[0].Argv[0] == "broken-platform" {
		return nil, errors.New("no sandbox")
	}
	code := 0
	if s.Processes[0].Argv[0] == "fails" {
		code = 1
	}
	return &StepResult{Outcome: OutcomeExited, Processes: []ProcessResult{{
		Role: "main", ExitCode: code, Collected: []File{{Path: "out", Content: []byte(s.ID)}},
	}}}, nil
}

func step(id, program string) Step {
	return Step{ID: id, Runtime: "r", Processes: []Process{{Role: "main", Argv: []string{program}}}}
}

func runScript(t *testing.T, s *scripted, rounds int) (*Report, []StepResult, *ran, error) {
	t.Helper()
	ex := &ran{}
	desc := &Description{Name: "p", Runtimes: []Runtime{{ID: "r"}}, MaxRounds: rounds}
	r, res, err := Run(t.Context(), play{scripted: s}, desc, ex, &PlanRequest{}, nil)
	return r, res, ex, err
}

func TestRoundsGoOnUntilAReportAndCarryFiles(t *testing.T) {
	second := step("run", "runs")
	second.Carry = []Carry{{StepID: "build", Role: "main", Path: "out", ToRole: "main", ToPath: "program", Executable: true}}
	s := &scripted{plan: []Step{step("build", "ok")}, next: []*Decision{{More: []Step{second}}, {Report: &Report{Verdict: VerdictFailed}}}}
	r, results, ex, err := runScript(t, s, 2)
	if err != nil || r.Verdict != VerdictFailed || len(results) != 2 || len(ex.steps) != 2 {
		t.Fatalf("%+v %+v %v", r, results, err)
	}
	f := ex.steps[1].Processes[0].Files
	if len(f) != 1 || f[0].Path != "program" || string(f[0].Content) != "build" || !f[0].Executable {
		t.Errorf("carried: %+v", f)
	}
	if s.seen[0].Round != 1 || s.seen[1].Round != 2 || len(s.seen[1].Results) != 2 {
		t.Errorf("%+v", s.seen)
	}
}

func TestAFailedStepSkipsTheRestOfItsRound(t *testing.T) {
	first := step("a", "fails")
	first.StopOnFailure = true
	s := &scripted{plan: []Step{first, step("b", "ok")}, next: []*Decision{{Report: &Report{Verdict: VerdictInvalid}}}}
	_, results, ex, err := runScript(t, s, 1)
	if err != nil || len(ex.steps) != 1 || results[1].Outcome != OutcomeSkipped {
		t.Fatalf("%+v %v", results, err)
	}
	lost := step("c", "ok")
	lost.Carry = []Carry{{StepID: "a", Role: "main", Path: "never made", ToRole: "main", ToPath: "x"}}
	s = &scripted{plan: []Step{step("a", "ok"), lost}, next: []*Decision{{Report: &Report{Verdict: VerdictInvalid}}}}
	if _, results, _, err = runScript(t, s, 1); err != nil || results[1].Outcome != OutcomeSkipped {
		t.Fatalf("a step without the file it carries: %+v %v", results, err)
	}
}

func TestWhatAPluginMayNotAnswerIsAnErrorAndNoReport(t *testing.T) {
	with := func(change func(*Step)) []Step {
		s := step("a", "ok")
		change(&s)
		return []Step{s}
	}
	passed := []*Decision{{Report: &Report{Verdict: VerdictPassed}}}
	cases := map[string]*scripted{
		"is not declared":      {plan: with(func(s *Step) { s.Runtime = "other" }), next: passed},
		"needs an id":          {plan: with(func(s *Step) { s.ID = "" }), next: passed},
		"used twice":           {plan: []Step{step("a", "ok"), step("a", "ok")}, next: passed},
		"role":                 {plan: with(func(s *Step) { s.Processes[0].Role = "root" }), next: passed},
		"one or two":           {plan: with(func(s *Step) { s.Processes = nil }), next: passed},
		"must not have the":    {plan: with(func(s *Step) { s.Processes[0].Files = []File{{Path: "../x"}} }), next: passed},
		"must be relative":     {plan: with(func(s *Step) { s.Processes[0].Files = []File{{Path: "/etc/passwd"}} }), next: passed},
		"NUL":                  {plan: with(func(s *Step) { s.Processes[0].Argv = []string{"a\x00"} }), next: passed},
		"environment variable": {plan: with(func(s *Step) { s.Processes[0].Env = map[string]string{"A=B": ""} }), next: passed},
		"no sandbox":           {plan: []Step{step("a", "broken-platform")}, next: passed},
		"neither a report":     {next: []*Decision{{}}},
		"its last":             {next: []*Decision{{More: []Step{step("b", "ok")}}}},
		"is none that a":       {next: []*Decision{{Report: &Report{Verdict: VerdictPlatformError}}}},
		"score":                {next: []*Decision{{Report: &Report{Verdict: VerdictFailed, Score: math.NaN()}}}},
		"did not pass":         {next: []*Decision{{Report: &Report{Verdict: VerdictPassed, Tests: []Test{{ID: "t", Status: StatusFail}}}}}},
		"severity error":       {next: []*Decision{{Report: &Report{Verdict: VerdictPassed, Findings: []Finding{{Severity: SeverityError}}}}}},
		"integrity":            {next: []*Decision{{Report: &Report{Verdict: VerdictFailed, Integrity: "total"}}}},
		"unknown status":       {next: []*Decision{{Report: &Report{Verdict: VerdictFailed, Tests: []Test{{ID: "t"}}}}}},
		"100001 tests":         {next: []*Decision{{Report: &Report{Verdict: VerdictFailed, Tests: make([]Test, listRefused*MaxTests+1)}}}},
	}
	for want, s := range cases {
		r, _, _, err := runScript(t, s, 1)
		if r != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v (report %+v)", want, err, r)
		}
	}
}

func TestPassedNeedsATestThatPassedWhenTheTaskHasTests(t *testing.T) {
	r := &Report{Verdict: VerdictPassed, Tests: []Test{{ID: "t", Status: StatusSkip}}}
	if err := CheckReport(r, &Submission{}, &Task{Tests: []File{{Path: "test_x.py"}}}); err == nil {
		t.Error("nothing passed")
	}
}

func TestReportsAreBroughtIntoBounds(t *testing.T) {
	sub := &Submission{Files: []File{{Path: "a.py", Content: []byte("x\ny\n")}}}
	r := &Report{
		Verdict: VerdictFailed, Output: strings.Repeat("é", MaxOutputBytes),
		Tests: []Test{{ID: "t", Status: StatusFail, Output: "a\x00b\xff", Message: Verbatim("m", strings.Repeat("x", MaxTextBytes*2))}},
		Findings: []Finding{
			{File: "a.py", Line: 2, Column: 1, Severity: SeverityInfo},
			{File: "a.py", Line: 99, Column: 7, Severity: SeverityInfo},
			{File: "/etc/passwd", Line: 1, Severity: SeverityInfo},
		},
	}
	if err := CheckReport(r, sub, &Task{}); err != nil {
		t.Fatal(err)
	}
	if len(r.Output) > MaxOutputBytes+8 || !utf8.ValidString(r.Output) {
		t.Errorf("output has %d bytes", len(r.Output))
	}
	if got := r.Tests[0].Output; got != "a␀b\uFFFD" {
		t.Errorf("output of the test: %q", got)
	}
	if len(r.Tests[0].Message.Text["en"]) > MaxTextBytes+8 {
		t.Error("the message is too long")
	}
	if f := r.Findings; f[0].Line != 2 || f[1].Line != 0 || f[1].Column != 0 || f[2].File != "" || f[2].Line != 0 {
		t.Errorf("%+v", f)
	}
	if r.Integrity != IntegrityShared {
		t.Error("no integrity means shared")
	}
}

func TestTextPutsParametersInOnce(t *testing.T) {
	m := Text("id", "{a} and {b}", "{b} y {a}", "a", "{b}", "b", 2)
	if m.In("en") != "{b} and 2" || m.In("es") != "2 y {b}" || m.In("fr") != m.In("en") || m.Params["b"] != "2" {
		t.Errorf("%+v", m)
	}
}

func TestScoreIsTheShareOfWeightAndLeavesOutSkips(t *testing.T) {
	got := Score([]Test{{Status: StatusPass, Weight: 3}, {Status: StatusFail}, {Status: StatusSkip, Weight: 9}})
	if got != 0.75 {
		t.Error(got)
	}
}

func TestAWarmUpThatCouldNeverStartIsRefusedAndAnUnknownProtocolIsNot(t *testing.T) {
	described := func(w *WarmUp) error {
		return CheckDescription(&Description{Name: "p", Version: "1.0.0", Languages: []Language{{Name: "x"}}, Runtimes: []Runtime{{ID: "r", WarmUp: w}}})
	}
	for name, w := range map[string]*WarmUp{
		"no program":      {Protocol: WarmOnce},
		"NUL":             {Protocol: WarmOnce, Argv: []string{"a\x00"}},
		"a file outside":  {Protocol: WarmOnce, Argv: []string{"a"}, Files: []File{{Path: "../a"}}},
		"one name, twice": {Protocol: WarmOnce, Argv: []string{"a"}, Files: []File{{Path: "a"}, {Path: "a"}}},
	} {
		if err := described(w); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	for _, w := range []*WarmUp{nil, {}, {Protocol: "warm/9", Argv: []string{"a"}}, {Protocol: WarmForkServer, Argv: []string{"a"}, Files: []File{{Path: "a"}}}} {
		if err := described(w); err != nil {
			t.Errorf("%+v: %v", w, err)
		}
	}
}

func TestListsThatASubmissionMadeTooLongAreCutAndTheReportSaysSo(t *testing.T) {
	r := &Report{Verdict: VerdictFailed, Score: 0.5}
	for i := range 3 * MaxTests {
		status := StatusPass
		if i%7 == 0 {
			status = StatusFail
		}
		r.Tests = append(r.Tests, Test{ID: fmt.Sprint(i), Status: status})
	}
	for i := range 2 * MaxFindings {
		severity := SeverityInfo
		if i%5 == 0 {
			severity = SeverityError
		}
		r.Findings = append(r.Findings, Finding{Rule: fmt.Sprint(i), Severity: severity})
	}
	if err := CheckReport(r, &Submission{}, &Task{Tests: []File{{Path: "t"}}}); err != nil {
		t.Fatal(err)
	}
	failed, errs, said := 0, 0, 0
	for _, x := range r.Tests {
		if x.Status == StatusFail {
			failed++
		}
	}
	for _, f := range r.Findings {
		switch {
		case f.Severity == SeverityError:
			errs++
		case f.Rule == "report-cut" && strings.Contains(f.Message.In("es"), "omitieron"):
			said++
		}
	}
	if len(r.Tests) != MaxTests || failed != 3*MaxTests/7+1 || r.Tests[0].ID != "0" || r.Tests[1].ID != "1" {
		t.Errorf("%d tests, %d of them failed", len(r.Tests), failed)
	}
	if len(r.Findings) != MaxFindings || errs != 2*MaxFindings/5 || said != 2 {
		t.Errorf("%d findings, %d errors, %d on what was cut", len(r.Findings), errs, said)
	}
	r.Findings = make([]Finding, listRefused*MaxFindings+1)
	if err := CheckReport(r, &Submission{}, &Task{}); err == nil {
		t.Error("a report of any length is taken")
	}
}
