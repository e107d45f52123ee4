package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/plugins/validator-sql/internal/sqltext"
	"github.com/goals-tracker/tracker/sdk/validator"
)

func judge(_ context.Context, req *validator.Request) (*validator.Report, error) {
	l, err := arrange(req)
	if err != nil {
		return nil, err
	}
	r := &validator.Report{Integrity: validator.IntegritySplit, Versions: map[string]string{"validator-sql": version}}
	if len(l.names) == 0 {
		r.Verdict, r.Summary = validator.Invalid, textNothing
		return r, nil
	}
	res := req.Result(stepSubmission)
	if res == nil {
		return nil, errors.New("the submission step has no result")
	}
	reference := &answers{}
	if ref := req.Result(stepReference); ref != nil {
		if reference, err = answersOf(ref, "tests"); err != nil {
			return nil, err
		}
		if err := l.sound(reference, ref); err != nil {
			return nil, err
		}
	}
	got, err := answersOf(res, "submission")
	if err != nil {
		return nil, err
	}
	if name, v, ok := strings.Cut(got.version, " "); ok {
		r.Versions[strings.ToLower(name)] = v
	}
	c := &court{layout: l, opts: optionsOf(req), report: r, got: got, reference: reference, res: res}
	c.remarks()
	if len(l.variants) == 0 {
		c.alone()
		return r, nil
	}
	for i := range l.variants {
		t, err := c.test(&l.variants[i], strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		r.Tests = append(r.Tests, t)
	}
	r.Score = validator.Score(r.Tests)
	r.Verdict = c.verdict()
	r.Summary = summary(r)
	return r, nil
}

// court holds what decides.
type court struct {
	*layout
	opts      options
	report    *validator.Report
	got       *answers
	reference *answers
	res       *validator.StepResult
	syntax    bool
}

// sound says whether the task's own statements can be relied on.
func (l *layout) sound(reference *answers, res *validator.StepResult) error {
	for i := range l.variants {
		v := &l.variants[i]
		if v.reference == "" {
			continue
		}
		a := reference.byID[strconv.Itoa(i)]
		switch {
		case a == nil && (reference.tooMuch || reference.memory):
			return fmt.Errorf("the reference of test %s answers with more than 10000 rows or too many bytes", v.id)
		case a == nil:
			return fmt.Errorf("the reference of test %s did not come to its end: %s", v.id, res.Outcome)
		case a.Error != nil && v.wantError == "":
			return fmt.Errorf("the reference of test %s does not work: %s (%s, statement %d)", v.id, a.Error.Message, a.Error.Phase, a.Error.Statement+1)
		}
	}
	return nil
}

// test judges one test on one set of data.
func (c *court) test(v *variant, id string) (validator.Test, error) {
	t := validator.Test{ID: v.id, Name: v.name, TaskID: v.task, Weight: v.weight, Status: validator.Error}
	s := c.byTest[v.test]
	if s == nil {
		t.Message = noFile(v.file)
		return t, nil
	}
	a := c.got.byID[id]
	if a == nil {
		t.Message = c.unreported(id)
		return t, nil
	}
	if e := a.Error; e != nil {
		switch e.Phase {
		case "setup", "before":
			return t, fmt.Errorf("the data of test %s can't be loaded: %s", v.id, e.Message)
		case "check":
			t.Status, t.Message = c.checked(v, e)
		default:
			t.Message = c.refused(s, e)
		}
		return t, nil
	}
	if a.Open && v.run(id, c.opts.dialect()).Writes {
		c.leftOpen(s)
	}
	if v.wantError != "" {
		t.Status, t.Message = validator.Fail, textAccepted
		return t, nil
	}
	return c.compared(v, s, a, c.reference.byID[id], t)
}

// checked judges a check that the database refused.
func (c *court) checked(v *variant, e *refusal) (validator.TestStatus, validator.Message) {
	last := len(sqltext.Split(v.check, c.opts.dialect())) - 1
	if v.wantError != "" && e.Statement == last && (v.wantError == "*" || strings.Contains(strings.ToLower(e.Message), strings.ToLower(v.wantError))) {
		return validator.Pass, validator.Message{}
	}
	return validator.Fail, checkRefused(e)
}

// compared judges results against the reference's or the table in the test.
func (c *court) compared(v *variant, s *script, a, ref *answer, t validator.Test) (validator.Test, error) {
	t.Status = validator.Fail
	if a.Tables != nil && ref != nil {
		t.Message = c.tables(v, a.Tables, ref.Tables, &t)
		if t.Message.IsZero() {
			t.Status = validator.Pass
		}
		return t, nil
	}
	got, own := a.Result, true
	if strings.TrimSpace(v.check) != "" {
		got, own = a.Check, false
	}
	if got == nil && own {
		t.Message = noResult(s, v.statement)
		return t, nil
	}
	if got == nil {
		return t, fmt.Errorf("the last statement of the check of test %s has no result to compare", v.id)
	}
	want, cmp, err := c.wanted(v, got, ref, own)
	if err != nil {
		return t, err
	}
	d := cmp.compare(want, got)
	if d.kind == "" {
		t.Status = validator.Pass
		return t, nil
	}
	t.Message = differs(&d, want, got, v.hidden)
	if !v.hidden {
		t.Expected, t.Actual = draw(want.Columns, want.Rows), draw(got.Columns, got.Rows)
	}
	return t, nil
}

// wanted is what a test expects, and how it is compared.
func (c *court) wanted(v *variant, got *table, ref *answer, own bool) (*table, *comparison, error) {
	cmp := &comparison{names: !v.anyNames, tolerance: v.tolerance, ordered: v.order == "ordered"}
	d := c.opts.dialect()
	if v.expected != nil {
		if !own && v.order == "" {
			cmp.ordered, cmp.keys = orderOf(v.check, d, got.Columns)
		}
		want := v.expected.asTable(got)
		cmp.names = cmp.names && v.expected.columns != nil
		return want, cmp, nil
	}
	if ref == nil {
		return nil, nil, fmt.Errorf("test %s has nothing to compare with", v.id)
	}
	want, source := ref.Result, v.reference
	if !own {
		want, source = ref.Check, v.check
	}
	if want == nil {
		return nil, nil, fmt.Errorf("the reference of test %s has no result to compare", v.id)
	}
	if v.order == "" {
		cmp.ordered, cmp.keys = orderOf(source, d, want.Columns)
	}
	return want, cmp, nil
}

// orderOf says whether the last statement of a script orders its result.
func orderOf(source string, d sqltext.Dialect, columns []string) (ordered bool, keys []int) {
	statements := sqltext.Split(source, d)
	if len(statements) == 0 {
		return false, nil
	}
	return statements[len(statements)-1].OrderBy(columns)
}

// tables compares what two scripts have left behind.
func (c *court) tables(v *variant, got, want map[string]*table, t *validator.Test) validator.Message {
	names := make([]string, 0, len(want))
	for name := range want {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch {
		case want[name] == nil:
			continue
		case got[name] == nil:
			return noTable(name)
		}
		cmp := &comparison{names: !v.anyNames, tolerance: v.tolerance}
		if d := cmp.compare(want[name], got[name]); d.kind != "" {
			if !v.hidden {
				t.Expected, t.Actual = draw(want[name].Columns, want[name].Rows), draw(got[name].Columns, got[name].Rows)
			}
			return inTable(name, differs(&d, want[name], got[name], v.hidden))
		}
	}
	return validator.Message{}
}

// alone reports on a submission without tests: it proves nothing but that it runs.
func (c *court) alone() {
	r := c.report
	r.Verdict, r.Summary = validator.Unproven, summaryUnproven
	var printed []string
	known := len(c.suite.schema)+len(c.suite.datasets) > 0
	for _, name := range c.names {
		a := c.got.byID[name]
		switch {
		case a == nil:
			if v := c.stopped(); v != validator.Unproven {
				r.Verdict = v
				r.Summary = summary(r)
			}
			continue
		case a.Error != nil && (a.Error.Syntax || known):
			c.refused(c.scripts[name], a.Error)
			r.Verdict = validator.Failed
			if c.syntax {
				r.Verdict = validator.Invalid
			}
			r.Summary = summary(r)
		case a.Result != nil:
			printed = append(printed, draw(a.Result.Columns, a.Result.Rows))
		}
	}
	r.Output = strings.Join(printed, "\n\n")
}

// stopped is the verdict of a limit, Unproven where none was met.
func (c *court) stopped() validator.Verdict {
	switch {
	case c.res.Outcome == validator.OutcomeTimedOut || len(c.got.tooLong) > 0:
		return validator.TimedOut
	case c.res.Outcome == validator.OutcomeOutOfMemory || c.got.memory:
		return validator.OutOfMemory
	case c.res.Outcome == validator.OutcomeOutputLimit || c.got.tooMuch:
		return validator.OutputLimit
	case !c.got.finished:
		return validator.Failed
	}
	return validator.Unproven
}

func (c *court) verdict() validator.Verdict {
	v := c.stopped()
	if v == validator.Failed || v == validator.Unproven {
		v = validator.Passed
	} else {
		return v
	}
	if c.syntax {
		return validator.Invalid
	}
	for i := range c.report.Tests {
		if c.report.Tests[i].Status != validator.Pass {
			return validator.Failed
		}
	}
	return v
}
