package agents_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	agentsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
)

func (b *bundle) fork(actor auth.Actor, id string, step int) (agents.Run, error) {
	return do(b, actor, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.ForkTx(ctx, tx, id, step)
	})
}

func (b *bundle) cancel(actor auth.Actor, id string) agents.Run {
	b.Helper()
	return must(b, actor, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.CancelTx(ctx, tx, id, "enough")
	})
}

func TestTheTeamReachesTheRunsOfItsCourse(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	for _, member := range []auth.Actor{tess, root} {
		page, err := b.agents.List(t.Context(), member, agents.Query{CourseID: english})
		if err != nil || len(page.Runs) != 1 || page.Runs[0].ID != run.ID {
			t.Errorf("%s lists %v, %v", member.UserID, page.Runs, err)
		}
		if page, err := b.agents.List(t.Context(), member, agents.Query{}); err != nil || len(page.Runs) != 0 {
			t.Errorf("%s has runs of their own: %v, %v", member.UserID, page.Runs, err)
		}
		if got := b.run(member, run.ID); got.Plan == nil || len(got.Steps) == 0 || !strings.Contains(got.Mermaid, "approve") {
			t.Errorf("%s sees %+v", member.UserID, got)
		}
	}
	if page, err := b.agents.List(t.Context(), bob, agents.Query{CourseID: english}); err != nil || len(page.Runs) != 0 {
		t.Errorf("another learner of the course lists %v, %v", page.Runs, err)
	}
	b.cancel(tess, run.ID)
	if r := b.run(ada, run.ID); r.Status != agents.StatusCancelled {
		t.Errorf("the run is %s", r.Status)
	}
	again, err := b.fork(tess, run.ID, run.Steps[0].Number)
	if err != nil || again.UserID != "ada" || again.ForkedFrom != run.ID {
		t.Fatalf("got %+v, %v", again, err)
	}
	b.agents.Drain(t)
	if done := b.approve(root, again.ID); done.Status != agents.StatusDone || len(b.tasksOf(goal.ID)) != len(done.Plan.Tasks) {
		t.Errorf("the run is %s with %d tasks", done.Status, len(b.tasksOf(goal.ID)))
	}
	for _, task := range b.tasksOf(goal.ID) {
		if task.UserID != "ada" {
			t.Errorf("%q is %s's", task.Title, task.UserID)
		}
	}
	eventstest.Verify(t, b.log)
}

func TestAPlanIsForkedFromAnyOfItsStepsThatSomethingFollows(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	first := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	if _, err := b.fork(ada, first.ID, 1); !agents.ErrPlanUnderWay.Is(err) {
		t.Errorf("a second plan at a time: %v", err)
	}
	first = b.approve(ada, first.ID)
	made := len(b.tasksOf(goal.ID))
	for i, step := range append([]agents.Step{{Number: 0, Node: "clarify"}}, first.Steps...) {
		fork, err := b.fork(ada, first.ID, step.Number)
		if i == len(first.Steps) { // the last
			if !agents.ErrNotForked.Is(err) {
				t.Errorf("after %s: %v", step.Node, err)
			}
			break
		}
		if err != nil || fork.ForkedFrom != first.ID || fork.ForkedStep != step.Number || fork.GraphVersion != first.GraphVersion {
			t.Fatalf("after step %d, %s: %+v, %v", step.Number, step.Node, fork, err)
		}
		b.agents.Drain(t)
		if fork = b.run(ada, fork.ID); fork.Plan == nil || !slices.Equal(titles(fork.Plan), titles(first.Plan)) {
			t.Errorf("after step %d, %s: the fork is %s with %q", step.Number, step.Node, fork.Status, titles(fork.Plan))
		}
		if fork.Status.Active() {
			b.cancel(ada, fork.ID)
		}
	}
	if first = b.run(ada, first.ID); first.Status != agents.StatusDone || len(b.tasksOf(goal.ID))%made != 0 {
		t.Errorf("the first run is %s, there are %d tasks", first.Status, len(b.tasksOf(goal.ID)))
	}
	eventstest.Verify(t, b.log)
}

func TestALearnerChangesTheirPlanWhenApprovingIt(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	client := b.client("ada", english, "")
	var reading, exercise *agents.PlannedTask
	for i := range run.Plan.Tasks {
		if p := &run.Plan.Tasks[i]; p.Proof != nil {
			exercise = p
		} else {
			reading = p
		}
	}
	title, text, hours := "Loops, at last", "In the evening.", 2.5
	for _, bad := range []*agentsv1.PlanEdit{
		{Key: "nonsense", Title: &title}, {Key: exercise.Key, Description: &text},
	} {
		_, err := client.ApprovePlan(t.Context(), &agentsv1.ApprovePlanRequest{RunId: run.ID, Edits: []*agentsv1.PlanEdit{bad}})
		if connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := client.ApprovePlan(t.Context(), &agentsv1.ApprovePlanRequest{
		RunId: run.ID, Keys: []string{reading.Key, exercise.Key},
		Edits: []*agentsv1.PlanEdit{{Key: reading.Key, Title: &title, Description: &text}, {Key: exercise.Key, EstimatedHours: &hours}},
	}); err != nil {
		t.Fatal(err)
	}
	b.agents.Drain(t)
	list := b.tasksOf(goal.ID)
	if len(list) != 2 {
		t.Fatalf("%d tasks", len(list))
	}
	for _, task := range list {
		if task.Validation == nil && (task.Title != title || task.Description != text || len(task.Citations) == 0) {
			t.Errorf("the reading is %q: %q", task.Title, task.Description)
		}
		if task.Validation != nil && (*task.EstimatedHours != hours || task.Title != exercise.Title) {
			t.Errorf("the exercise is %q for %v hours", task.Title, *task.EstimatedHours)
		}
	}
}

func TestRunsAreCancelledAndForkedOverTheAPI(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	client, ctx := b.client("ada", english, ""), t.Context()
	got, err := client.CancelAgentRun(ctx, &agentsv1.CancelAgentRunRequest{RunId: run.ID, Reason: "later"})
	if err != nil || got.GetStatus() != agentsv1.AgentRunStatus_AGENT_RUN_STATUS_CANCELLED {
		t.Fatalf("got %v, %v", got, err)
	}
	if _, err = client.CancelAgentRun(ctx, &agentsv1.CancelAgentRunRequest{RunId: run.ID}); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("got %v", err)
	}
	if got, err = client.ForkAgentRun(ctx, &agentsv1.ForkAgentRunRequest{RunId: run.ID, Step: 2}); err != nil || got.GetForkedFrom() != run.ID || got.GetForkedStep() != 2 {
		t.Errorf("got %v, %v", got, err)
	}
	b.agents.Drain(t)
	if got, err = client.GetAgentRun(ctx, &agentsv1.GetAgentRunRequest{Id: got.GetId()}); err != nil || got.GetWaitingFor() != "approval" ||
		got.GetSteps()[0].GetNode() != "outline" || got.GetSteps()[0].GetNumber() != 1 || got.GetPlan().GetTasks()[0].GetProof().GetKilled() != 20 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err = client.ForkAgentRun(ctx, &agentsv1.ForkAgentRunRequest{RunId: run.ID, Step: 99}); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("got %v", err)
	}
	if _, err := b.fork(bob, run.ID, 2); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("another's run was forked: %v", err)
	}
}

var beganBefore = postgres.SQL("test.agents_began_before", `
	WITH due AS (UPDATE agents.queue SET node = 'retrieve' WHERE run_id = @run)
	UPDATE agents.runs SET graph_version = 1, node = 'retrieve' WHERE id = @run`)

// The first version of the planner's graph neither asks nor proves: a run that
// began with it ends with it.
func TestAPlanThatBeganBeforeAnUpgradeEndsByItsOldGraph(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	run := must(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.PlanTx(ctx, tx, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
	})
	if _, err := b.db.As(system).Exec(t.Context(), beganBefore, postgres.Args{"run": run.ID}); err != nil {
		t.Fatal(err)
	}
	b.agents.Drain(t)
	run = b.run(ada, run.ID)
	var path []string
	for _, s := range run.Steps {
		path = append(path, s.Node)
	}
	if want := []string{"retrieve", "outline", "tasks", "check", "approve", "publish"}; !slices.Equal(path, want) || run.Status != agents.StatusDone {
		t.Errorf("the run is %s by %v", run.Status, path)
	}
	if strings.Contains(run.Mermaid, "proven") || len(b.tasksOf(goal.ID)) != len(run.Plan.Tasks) {
		t.Errorf("%d tasks of %d, drawn as\n%s", len(b.tasksOf(goal.ID)), len(run.Plan.Tasks), run.Mermaid)
	}
}
