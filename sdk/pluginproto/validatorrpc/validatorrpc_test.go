package validatorrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
)

// echo keeps what it was asked and answers what it is told.
type echo struct {
	asked  any
	answer any
	err    error
}

func (e *echo) Describe(context.Context) (*judging.Description, error) {
	d, _ := e.answer.(*judging.Description)
	return d, e.err
}

func (e *echo) Plan(_ context.Context, r *judging.PlanRequest) ([]judging.Step, error) {
	e.asked = *r
	s, _ := e.answer.([]judging.Step)
	return s, e.err
}

func (e *echo) Judge(_ context.Context, r *judging.JudgeRequest) (*judging.Decision, error) {
	e.asked = *r
	d, _ := e.answer.(*judging.Decision)
	return d, e.err
}

func (e *echo) Mutate(_ context.Context, r *judging.MutateRequest) ([]judging.Mutant, error) {
	e.asked = *r
	m, _ := e.answer.([]judging.Mutant)
	return m, e.err
}

func connect(t *testing.T, e *echo) *Client {
	t.Helper()
	conn, stop, err := pluginproto.InProcess(func(s *grpc.Server) { Register(s, e) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return NewClient(conn, "test")
}

// filled returns a value in which every field, however deep, is set, so that a
// field that is forgotten on the way shows.
func filled[T any]() T {
	var v T
	n := 0
	fill(reflect.ValueOf(&v).Elem(), &n)
	return v
}

var enumValues = map[reflect.Type]string{
	reflect.TypeFor[judging.Outcome]():    string(judging.OutcomeOutputLimit),
	reflect.TypeFor[judging.Verdict]():    string(judging.VerdictOutOfMemory),
	reflect.TypeFor[judging.TestStatus](): string(judging.StatusSkip),
	reflect.TypeFor[judging.Severity]():   string(judging.SeverityWarning),
}

func fill(v reflect.Value, n *int) {
	*n++
	if e, ok := enumValues[v.Type()]; ok {
		v.SetString(e)
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		v.SetInt(int64(time.Duration(*n) * time.Millisecond))
		return
	case v.Type() == reflect.TypeFor[[]byte]():
		v.SetBytes([]byte{0xff, byte(*n)})
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("s" + strings.Repeat("x", *n%50))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) / 1000)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	default:
		panic("no value for " + v.Type().String())
	}
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s changed on the way (-sent +received):\n%s", what, d)
	}
}

func TestNothingIsLostOnTheWay(t *testing.T) {
	e := &echo{}
	c := connect(t, e)

	desc := filled[judging.Description]()
	e.answer = &desc
	gotDesc, err := c.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the description", &desc, gotDesc)

	steps, plan := filled[[]judging.Step](), filled[judging.PlanRequest]()
	plan.Task.Options = []byte(`{"a":"é"}`) // the only bytes that are text
	e.answer = steps
	gotSteps, err := c.Plan(t.Context(), &plan)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the request to plan", plan, e.asked)
	same(t, "the steps", steps, gotSteps)

	report, judge := filled[judging.Report](), filled[judging.JudgeRequest]()
	judge.Task.Options = plan.Task.Options
	e.answer = &judging.Decision{Report: &report}
	d, err := c.Judge(t.Context(), &judge)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the request to judge", judge, e.asked)
	same(t, "the report", &report, d.Report)

	e.answer = &judging.Decision{More: steps}
	if d, err = c.Judge(t.Context(), &judge); err != nil {
		t.Fatal(err)
	}
	same(t, "more steps", steps, d.More)

	mutants, mutate := filled[[]judging.Mutant](), filled[judging.MutateRequest]()
	mutate.Task.Options = plan.Task.Options
	e.answer = mutants
	gotMutants, err := c.Mutate(t.Context(), &mutate)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the request to mutate", mutate, e.asked)
	same(t, "the mutants", mutants, gotMutants)
}

func TestEveryEnumValueHasItsNumber(t *testing.T) {
	if len(outcomes.toGo) != 6 || len(verdicts.toGo) != 7 || len(statuses.toGo) != 4 || len(severities.toGo) != 3 {
		t.Error("a value of the protocol is missing in a table")
	}
	if len(outcomes.toProto) != 6 || len(verdicts.toProto) != 7 || len(statuses.toProto) != 4 || len(severities.toProto) != 3 {
		t.Error("two values of the protocol mean the same")
	}
}

func TestErrorsKeepTheirWordsAndCodes(t *testing.T) {
	e := &echo{err: errors.New("options of x: what?")}
	c := connect(t, e)
	_, err := c.Plan(t.Context(), &judging.PlanRequest{})
	if err == nil || err.Error() != "options of x: what?" || status.Code(err) != codes.Unknown {
		t.Errorf("%v", err)
	}
	e.err = judging.ErrNoMutants
	if _, err := c.Mutate(t.Context(), &judging.MutateRequest{}); !errors.Is(err, judging.ErrNoMutants) {
		t.Error(err)
	}
	e.err = context.DeadlineExceeded
	if _, err := c.Plan(t.Context(), &judging.PlanRequest{}); status.Code(err) != codes.DeadlineExceeded {
		t.Error(err)
	}
}

func TestATaskThatCanNotBeJudgedByIsKnownOnTheOtherSide(t *testing.T) {
	e := &echo{err: fmt.Errorf("plan: %w", judging.TaskErrorf("test_main.py:3: unexpected %s", strings.Repeat("é", 5000)))}
	_, err := connect(t, e).Plan(t.Context(), &judging.PlanRequest{})
	var task *judging.TaskError
	if !errors.As(err, &task) || !strings.HasPrefix(task.Problem, "test_main.py:3: unexpected é") || len(task.Problem) > 9000 {
		t.Errorf("got %T of %d bytes", err, len(fmt.Sprint(err)))
	}
	e.err = errors.New("out of luck")
	if _, err := connect(t, e).Plan(t.Context(), &judging.PlanRequest{}); err == nil || errors.As(err, &task) {
		t.Errorf("another error is taken for the task's: %v", err)
	}
}

func TestALearnersBytesTravelInTextFields(t *testing.T) {
	c := connect(t, &echo{answer: &judging.Decision{Report: &judging.Report{
		Verdict: judging.VerdictFailed, Output: "a\xffb",
		Tests: []judging.Test{{ID: "t\xff", Status: judging.StatusFail, Message: judging.Verbatim("m", "\xfe")}},
	}}})
	d, err := c.Judge(t.Context(), &judging.JudgeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Report.Output != "a\uFFFDb" || d.Report.Tests[0].Message.In("en") != "\uFFFD" {
		t.Errorf("%+v", d.Report)
	}
}
