package agents_test

import (
	"errors"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/errs"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

var (
	notIn = errs.Define(errs.PermissionDenied, "not_in_test", "not in course %q", "no en el curso %q")
	away  = errs.Define(errs.Unavailable, "away_test", "away", "fuera")
	gone  = errs.Define(errs.NotFound, "gone_test", "gone %q", "sin %q")
)

func TestWhoLeftACourseApprovesNoPlanOnItAndNothingChanges(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	approve := func() error {
		_, err := b.client("ada", english, "").ApprovePlan(t.Context(), &agentsv1.ApprovePlanRequest{RunId: run.ID})
		return err
	}
	b.refusal = notIn.New(english)
	err := b.agents.MayApprove(t.Context(), ada, run.ID)
	var told *errs.Error
	if !agents.ErrLeftCourse.Is(err) || !errors.As(err, &told) || !strings.Contains(told.Text("es"), "Ya no perteneces al curso \""+english) {
		t.Fatalf("got %v", err)
	}
	if err := approve(); connect.CodeOf(err) != connect.CodePermissionDenied || !strings.Contains(err.Error(), "no longer belong to course") {
		t.Fatalf("got %v", err)
	}
	b.agents.Drain(t)
	still, err := b.agents.Get(t.Context(), ada, run.ID)
	if err != nil || still.WaitingFor != agents.ForApproval || still.Version != run.Version || len(b.tasksOf(goal.ID)) != 0 {
		t.Errorf("the run waits for %q in version %d of %d, %v", still.WaitingFor, still.Version, run.Version, err)
	}
	if err := b.agents.MayApprove(t.Context(), bob, run.ID); !agents.ErrRunNotFound.Is(err) {
		t.Errorf("another's run: %v", err)
	}
	// An academy that is away, and a course that it deleted, are nobody's leaving.
	for _, b.refusal = range []error{away.New(), gone.New(english)} {
		if err := b.agents.MayApprove(t.Context(), ada, run.ID); err != nil {
			t.Errorf("%v: %v", b.refusal, err)
		}
	}
	if err := approve(); err != nil {
		t.Error(err)
	}
}
