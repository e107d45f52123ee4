package agents_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

func (b *bundle) answer(actor auth.Actor, run agents.Run, answer string) agents.Run {
	b.Helper()
	must(b, actor, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.AnswerTx(ctx, tx, run.ID, run.Question.ID, answer)
	})
	b.agents.Drain(b.T)
	return b.run(actor, run.ID)
}

func TestAVagueGoalIsAskedForAtMostTwice(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Get better at programming")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	if run.WaitingFor != agents.ForAnswer || run.Question == nil || run.Question.Text.ES == "" || !slices.Contains(run.Question.Choices, "Loops") {
		t.Fatalf("the run is %s for %q: %+v", run.Status, run.WaitingFor, run.Question)
	}
	if _, err := do(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.AnswerTx(ctx, tx, run.ID, "another question", "x")
	}); !agents.ErrNoQuestion.Is(err) {
		t.Errorf("got %v", err)
	}
	run = b.answer(ada, run, "Loops")
	if run.WaitingFor != agents.ForAnswer && run.WaitingFor != agents.ForApproval {
		t.Fatalf("the run is %s for %q", run.Status, run.WaitingFor)
	}
	if run.WaitingFor == agents.ForAnswer {
		run = b.answer(ada, run, "1")
	}
	if got := titles(run.Plan); run.WaitingFor != agents.ForApproval || !has(got, "Read: Loops") || has(got, "Read: Files and exceptions") {
		t.Errorf("the run is %s for %q: %q", run.Status, run.WaitingFor, got)
	}
	if diff := cmp.Diff([]string{"plan.requested", "plan.question_asked", "plan.question_asked", "plan.generated"}, b.types(agents.StreamRun, run.ID)); diff != "" {
		t.Error(diff)
	}
	eventstest.Verify(t, b.log)
}

func TestAnswersChangeThePlan(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(eva, spanish, "Aprender a programar")
	whole := b.answer(eva, b.plan(eva, agents.PlanRequest{GoalID: goal.ID}), "El curso completo")
	if whole.WaitingFor != agents.ForAnswer || !slices.Contains(whole.Question.Choices, "Todo hasta: Bucles") {
		t.Fatalf("the run is %s for %q: %+v", whole.Status, whole.WaitingFor, whole.Question)
	}
	all := b.answer(eva, whole, "Todavía nada")
	b.cancel(eva, all.ID)
	fork, err := b.fork(eva, whole.ID, whole.Steps[len(whole.Steps)-1].Number) // where it asked
	if err != nil {
		t.Fatal(err)
	}
	b.agents.Drain(t)
	less := b.answer(eva, b.run(eva, fork.ID), "Todo hasta: Bucles")
	if got := titles(less.Plan); !has(titles(all.Plan), "La hucha") || has(got, "La hucha") || !has(got, "Inventario de la tienda") {
		t.Errorf("who knows nothing: %q; who knows half: %q", titles(all.Plan), got)
	}
}

func TestAnAnswerInTheirOwnWordsCounts(t *testing.T) {
	b := setup(t, nil)
	client := b.client("ada", english, "")
	goal := b.goal(ada, english, "Learn to code")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	if _, err := client.AnswerPlan(t.Context(), &agentsv1.AnswerPlanRequest{RunId: run.ID, Answer: "reading and writing files"}); err != nil {
		t.Fatal(err)
	}
	b.agents.Drain(t)
	if run = b.run(ada, run.ID); run.WaitingFor == agents.ForAnswer {
		run = b.answer(ada, run, "Nothing yet")
	}
	if got := titles(run.Plan); !has(got, "Score file") || has(got, "To-do list") {
		t.Errorf("the run is %s for %q: %q", run.Status, run.WaitingFor, got)
	}
}

func TestAClearGoalIsAskedNothing(t *testing.T) {
	b := setup(t, nil)
	for _, title := range []string{"Understand loops", "Learn the basics of Python", "Learn Kubernetes networking"} {
		goal := b.goal(ada, english, title)
		run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
		if run.WaitingFor == agents.ForAnswer {
			t.Errorf("%s: %s", title, run.Question.Text.EN)
		}
	}
	// Nor is who wants tasks without being asked.
	goal := b.goal(ada, english, "Get better at programming")
	if run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true}); run.Status != agents.StatusDone || !has(titles(run.Plan), "Read: Loops") {
		t.Errorf("the run is %s for %q: %q", run.Status, run.WaitingFor, titles(run.Plan))
	}
}
