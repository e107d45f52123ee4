package agents_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/rag/ragtest"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// sound proves that each task of a plan rests on the course's documents, word
// for word, and that none waits for itself.
func (b *bundle) sound(actor auth.Actor, list []tasks.Task) {
	b.Helper()
	for i, t := range list {
		if len(t.Citations) == 0 {
			b.Errorf("%q cites nothing", t.Title)
		}
		for _, c := range t.Citations {
			doc, err := b.rag.Document(b.Context(), actor, c.DocumentID)
			if err != nil {
				b.Fatalf("%q cites %s: %v", t.Title, c.Path, err)
			}
			if strings.HasSuffix(c.Path, ".ipynb") { // a cell's source, in JSON
				quoted := strings.Fields(strings.Split(c.Quote, "\n")[0])
				if !strings.Contains(doc.Content, quoted[0]) {
					b.Errorf("%q quotes %q, which %s does not say", t.Title, c.Quote, c.Path)
				}
				continue
			}
			lines := strings.Split(doc.Content, "\n")
			if c.StartLine < 1 || c.EndLine > len(lines) || !strings.Contains(strings.Join(lines[c.StartLine-1:c.EndLine], "\n"), c.Quote) {
				b.Errorf("%q quotes %q, which %s does not say in lines %d–%d", t.Title, c.Quote, c.Path, c.StartLine, c.EndLine)
			}
		}
		for _, on := range t.DependsOn {
			if !slices.ContainsFunc(list[:i], func(o tasks.Task) bool { return o.ID == on }) {
				b.Errorf("%q depends on a task that does not come before it", t.Title)
			}
		}
		if t.EstimatedHours == nil || *t.EstimatedHours <= 0 || *t.EstimatedHours > agents.MaxHours {
			b.Errorf("%q takes %v hours", t.Title, t.EstimatedHours)
		}
	}
}

func TestAGoalBecomesTasksThatCiteTheCourse(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Learn the basics of Python")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	if run.Status != agents.StatusWaiting || run.WaitingFor != agents.ForApproval || run.Plan == nil {
		t.Fatalf("the run is %s for %q: %+v", run.Status, run.WaitingFor, run.Message)
	}
	if run.Label != agents.BuiltInPlanner || run.Plan.Label != agents.BuiltInPlanner || run.Cost.ModelCalls != 0 {
		t.Errorf("labelled %q after %d model calls", run.Label, run.Cost.ModelCalls)
	}
	for _, p := range run.Plan.Tasks {
		for _, f := range p.Tests {
			if !f.Hidden || f.Content != "" {
				t.Errorf("%q shows its test %s", p.Title, f.Path)
			}
		}
	}
	if len(b.tasksOf(goal.ID)) != 0 {
		t.Error("there are tasks before the plan was approved")
	}
	run = b.approve(ada, run.ID)
	if run.Status != agents.StatusDone {
		t.Fatalf("the run is %s: %+v", run.Status, run.Message)
	}
	list := b.tasksOf(goal.ID)
	code := 0
	for _, task := range list {
		if task.UserID != "ada" || task.CourseID != english || !strings.Contains(task.Metadata.Text(), agents.BuiltInPlanner) {
			t.Errorf("%q is %s's in %s, metadata %s", task.Title, task.UserID, task.CourseID, task.Metadata)
		}
		if task.Type != tasks.TypeCode {
			continue
		}
		code++
		v := task.Validation
		if v == nil || len(v.Tests) == 0 || len(v.Starter) == 0 || !v.Tests[0].Hidden || v.Tests[0].Content == "" || v.Starter[0].Hidden {
			t.Errorf("%q has no tests that are hidden and no starter: %+v", task.Title, v)
		}
	}
	if len(list) != len(run.Plan.Tasks) || len(list) < 18 || code < 11 {
		t.Errorf("%d tasks, %d of code", len(list), code)
	}
	b.sound(ada, list)
	if diff := cmp.Diff([]string{"plan.requested", "plan.generated", "plan.approved"}, b.types(agents.StreamRun, run.ID)); diff != "" {
		t.Error(diff)
	}
	eventstest.Verify(t, b.log)
	if len(b.agents.Pushes("ada")) == 0 || len(b.agents.Pushes("bob")) != 0 {
		t.Error("who plans sees it, and nobody else")
	}
}

func TestAGoalThatNamesATopicGetsItsUnitAndWhatThatNeeds(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
	got := titles(run.Plan)
	for _, want := range []string{"Read: Loops", "Countdown", "Longest streak", "Ticket price"} {
		if !has(got, want) {
			t.Errorf("the plan lacks %q: %q", want, got)
		}
	}
	for _, other := range []string{"Read: Files and exceptions", "To-do list", "Word count"} {
		if has(got, other) {
			t.Errorf("the plan has %q", other)
		}
	}
	list := b.tasksOf(goal.ID)
	if run.Status != agents.StatusDone || len(list) < 5 {
		t.Errorf("the run is %s, %d tasks", run.Status, len(list))
	}
	b.sound(ada, list)
}

func TestWhatTheLearnerKnowsIsLeftOut(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Learn Python")
	all := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	if !has(titles(all.Plan), "Read: Loops") {
		t.Fatalf("the plan is %q", titles(all.Plan))
	}
	must(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.RejectTx(ctx, tx, all.ID, "I know loops")
	})
	less := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, Wishes: "I know loops already, and I already know variables."})
	got := titles(less.Plan)
	for _, known := range []string{"Read: Loops", "Countdown", "Longest streak"} {
		if has(got, known) {
			t.Errorf("the plan has %q", known)
		}
	}
	if !has(got, "Read: Functions") || len(got) >= len(titles(all.Plan)) {
		t.Errorf("the plan is %q", got)
	}
	if r := b.run(ada, all.ID); r.Status != agents.StatusCancelled {
		t.Errorf("the rejected run is %s", r.Status)
	}
}

func TestASpanishCourseGivesASpanishPlan(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(eva, spanish, "Aprender Python desde cero")
	run := b.plan(eva, agents.PlanRequest{GoalID: goal.ID, Wishes: "Ya sé usar las variables", AutoApprove: true})
	got := titles(run.Plan)
	reads := slices.ContainsFunc(run.Plan.Tasks, func(p agents.PlannedTask) bool { return strings.HasPrefix(p.Description, "Lee la unidad") })
	if !has(got, "Leer: Bucles") || !has(got, "La hucha") || has(got, "Leer: Valores y variables") || !reads {
		t.Errorf("the plan is %q", got)
	}
	list := b.tasksOf(goal.ID)
	if len(list) < 5 {
		t.Errorf("%d tasks", len(list))
	}
	b.sound(eva, list)

	topic := b.goal(eva, spanish, "Entender los diccionarios")
	run = b.plan(eva, agents.PlanRequest{GoalID: topic.ID})
	if got := titles(run.Plan); !has(got, "Leer: Listas y diccionarios") || has(got, "Leer: Archivos y excepciones") {
		t.Errorf("the plan is %q", got)
	}
}

func TestWhenNothingFitsTheRunAsksForMaterialAndInventsNothing(t *testing.T) {
	b := setup(t, nil)
	for _, title := range []string{"Learn Kubernetes networking", "Learn FastAPI", "Web scraping with Python", "Aprender cocina japonesa"} {
		goal := b.goal(ada, english, title)
		run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
		if run.WaitingFor != agents.ForMaterial || run.Plan != nil || run.Message.EN == "" || run.Message.ES == "" || len(b.tasksOf(goal.ID)) != 0 {
			t.Errorf("%s: the run is %s for %q, plan %q", title, run.Status, run.WaitingFor, titles(run.Plan))
		}
	}
	goal := b.goal(ada, "", "Learn Rust ownership")
	if run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID}); run.WaitingFor != agents.ForMaterial {
		t.Errorf("without a course: the run is %s for %q", run.Status, run.WaitingFor)
	}
}

func TestMaterialThatComesLaterIsFound(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Learn FastAPI")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	ragtest.Ingest(t, b.rag, english, fstest.MapFS{"fastapi.md": {Data: []byte("---\ntitle: FastAPI\nunit: 1\nconcepts: [routes, FastAPI]\n---\n# FastAPI\n\n" +
		"FastAPI turns annotated functions into routes of a web service.\n\n## Routes\n\nA route joins a path and a method with the function that answers.\n")}})
	again := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, Wishes: "please look again"})
	if again.ID != run.ID || again.WaitingFor != agents.ForApproval || !has(titles(again.Plan), "Read: FastAPI") {
		t.Errorf("run %s after %s is %s for %q: %q", again.ID, run.ID, again.Status, again.WaitingFor, titles(again.Plan))
	}
}

func TestAGoalWithoutACourseUsesThoseOfItsLearner(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, "", "Learn about loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID, AutoApprove: true})
	if run.Status != agents.StatusDone || !has(titles(run.Plan), "Read: Loops") {
		t.Errorf("the run is %s: %q", run.Status, titles(run.Plan))
	}
	stranger := auth.Actor{UserID: "zoe", Roles: []auth.Role{auth.Student}}
	theirs := b.goal(stranger, "", "Learn about loops")
	if run := b.plan(stranger, agents.PlanRequest{GoalID: theirs.ID}); run.WaitingFor != agents.ForMaterial {
		t.Errorf("who joined no course got %q", titles(run.Plan))
	}
	// Nor does naming a course open its material.
	foreign := b.goal(stranger, english, "Learn about loops")
	if run := b.plan(stranger, agents.PlanRequest{GoalID: foreign.ID}); run.WaitingFor != agents.ForMaterial {
		t.Errorf("who did not join the course got %q", titles(run.Plan))
	}
}

func TestPartOfAPlanIsTakenWithoutWhatItDependedOn(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	key := ""
	for _, p := range run.Plan.Tasks {
		if p.Title == "Countdown" {
			key = p.Key
		}
	}
	_, err := do(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.ApproveTx(ctx, tx, run.ID, agents.Approval{Keys: []string{"nonsense"}})
	})
	if err == nil {
		t.Error("an unknown key was taken")
	}
	b.approve(ada, run.ID, key)
	list := b.tasksOf(goal.ID)
	if len(list) != 1 || list[0].Title != "Countdown" || len(list[0].DependsOn) != 0 {
		t.Errorf("got %d tasks: %+v", len(list), list)
	}
}

func TestAGoalHasOnePlanAtATimeAndAClosedGoalNone(t *testing.T) {
	b := setup(t, nil)
	goal := b.goal(ada, english, "Understand loops")
	run := b.plan(ada, agents.PlanRequest{GoalID: goal.ID})
	again := func() error {
		_, err := do(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
			return b.agents.PlanTx(ctx, tx, agents.PlanRequest{GoalID: goal.ID})
		})
		return err
	}
	if err := again(); !agents.ErrPlanUnderWay.Is(err) {
		t.Errorf("got %v", err)
	}
	must(b, ada, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return b.goals.CancelTx(ctx, tx, goal.ID, nil)
	})
	if err := again(); !goals.ErrClosed.Is(err) {
		t.Errorf("got %v", err)
	}
	// Approved after the goal was closed: the run ends with the reason.
	if run = b.approve(ada, run.ID); run.Status != agents.StatusFailed || !strings.Contains(run.Message.ES, "Reábrelo") {
		t.Errorf("the run is %s: %+v", run.Status, run.Message)
	}
	_, err := do(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.RejectTx(ctx, tx, run.ID, "")
	})
	if !agents.ErrRunOver.Is(err) {
		t.Errorf("got %v", err)
	}
	_, err = do(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.AnswerTx(ctx, tx, run.ID, "", "x")
	})
	if !agents.ErrNoQuestion.Is(err) {
		t.Errorf("got %v", err)
	}
}
