package validation_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// rejudge asks for a course, or else a task, to be judged again.
func (b *bundle) rejudge(actor auth.Actor, course, task string) (r validation.Rejudging, err error) {
	err = b.DB.InTx(b.t.Context(), postgres.As(actor), func(ctx context.Context, tx *postgres.Tx) (err error) {
		if course != "" {
			r, err = b.Service.RejudgeCourseTx(ctx, tx, course)
		} else {
			r, err = b.Service.RejudgeTaskTx(ctx, tx, task)
		}
		return err
	})
	return r, err
}

// listed is rejudge with its job done.
func (b *bundle) listed(actor auth.Actor, course, task string) string {
	b.t.Helper()
	r, err := b.rejudge(actor, course, task)
	if err != nil {
		b.t.Fatal(err)
	}
	if n := b.count("SELECT count(*) FROM river.river_job WHERE kind = 'validation_listing' AND args->>'rejudging_id' = $1", r.ID); n != 1 {
		b.t.Errorf("%d jobs list the re-judging", n)
	}
	if err := b.List(b.t.Context(), r.ID); err != nil {
		b.t.Fatal(err)
	}
	return r.ID
}

func (b *bundle) progress(actor auth.Actor, id string) validation.Rejudging {
	b.t.Helper()
	r, err := b.Service.Rejudging(b.t.Context(), actor, id)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func TestRejudgingACourseGoesBehindLearnersAndSaysWhatChanged(t *testing.T) {
	verdicts := map[string]judging.Verdict{"bad": judging.VerdictFailed}
	judge := &fake{judge: func(_ context.Context, content string) (judging.Verdict, error) {
		if v, ok := verdicts[content]; ok {
			return v, nil
		}
		return judging.VerdictPassed, nil
	}}
	b := setup(t, validationtest.Options{Judge: judge})
	good, bad, waits := b.task(ada, "test_main.py", doubleTest), b.task(bob, "test_main.py", doubleTest), b.task(bob, "test_main.py", doubleTest)
	other := b.task(cleo, "test_main.py", doubleTest)
	first := b.Submit(t, ada, good.ID, "main.py", "good")
	b.Submit(t, bob, bad.ID, "main.py", "older")
	b.Submit(t, bob, bad.ID, "main.py", "bad")
	b.Submit(t, cleo, other.ID, "main.py", "other")
	b.Drain(t)
	b.Submit(t, bob, waits.ID, "main.py", "waits")

	// The tests change their mind about both.
	verdicts = map[string]judging.Verdict{"good": judging.VerdictFailed}
	id := b.listed(miss, "c1", "")
	if r := b.progress(miss, id); !r.Listed || r.Total != 2 || r.Skipped != 1 || r.Finished != 0 || r.CourseID != "c1" || r.UserID != "miss" {
		t.Errorf("at first it is %+v", r)
	}
	// A learner who comes now goes ahead of all of it, and pays for nothing else.
	b.Submit(t, ada, b.many(ada, 1)[0].ID, "main.py", "interactive")
	before := judge.order()
	b.Drain(t)
	turns := strings.Fields(strings.TrimPrefix(judge.order(), before))
	if len(turns) != 4 || strings.Join(turns[2:], " ") != "good bad" && strings.Join(turns[2:], " ") != "bad good" {
		t.Errorf("they were judged in this order: %v", turns)
	}
	if n := b.count("SELECT count(*) FROM validation.shares WHERE lane = 1 AND kind = 'learner'"); n != 2 {
		t.Errorf("%d learners have a time of their own in the bulk lane", n)
	}
	if r := b.progress(admin, id); r.Finished != 2 || r.Changed != 2 || r.Total != 2 {
		t.Errorf("in the end it is %+v", r)
	}
	// What passed stays passed; what failed passes now.
	if got := b.status(good.ID); got != tasks.StatusCompleted {
		t.Errorf("a re-judging made a completed task %s", got)
	}
	if got := b.status(bad.ID); got != tasks.StatusCompleted {
		t.Errorf("a failed task that passes now is %s", got)
	}
	list, err := b.Service.Snapshots(t.Context(), ada, validation.Query{TaskID: good.ID})
	if err != nil || len(list.Snapshots) != 1 || list.Snapshots[0].RunID == first.RunID {
		t.Fatalf("the snapshots are %+v, %v", list, err)
	}
	run := b.Run(t, list.Snapshots[0].RunID)
	if run.Verdict != judging.VerdictFailed || run.PreviousVerdict != judging.VerdictPassed || run.Reason != validation.ReasonRejudged || run.Deduplicated || run.RejudgingID != id {
		t.Errorf("the new run is %+v", run)
	}
	if got := b.types("run:" + run.ID); got != "validation.queued validation.started validation.completed" {
		t.Errorf("its events are %s", got)
	}
	if n := b.count("SELECT count(*) FROM validation.runs WHERE task_id = $1", other.ID); n != 1 {
		t.Errorf("another course's task has %d runs", n)
	}
	eventstest.EveryColumnTurnsRed(t, b.DB, b.log)
}

func TestAListingThatWasCutShortGoesOnAndDoesNothingTwice(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	all := b.many(ada, 5)
	for i, task := range all {
		b.Submit(t, ada, task.ID, "main.py", fmt.Sprint("x", i))
	}
	b.Drain(t)
	r, err := b.rejudge(miss, "c1", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.List(ctx, r.ID); err == nil {
		t.Error("a listing that was cut short says nothing")
	}
	done := make(chan error, 3)
	for range 3 { // River may run a job again while it still runs
		go func() { done <- b.List(context.Background(), r.ID) }()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := b.progress(miss, r.ID); got.Total != 5 || got.Skipped != 0 || !got.Listed {
		t.Errorf("it is %+v", got)
	}
	if b.Drain(t) != 5 {
		t.Error("not each was judged once")
	}
}

func TestANewerSnapshotTakesThePlaceOfARejudging(t *testing.T) {
	judge := &fake{judge: func(context.Context, string) (judging.Verdict, error) { return judging.VerdictFailed, nil }}
	b := setup(t, validationtest.Options{Judge: judge})
	task := b.task(ada, "test_main.py", doubleTest)
	b.Submit(t, ada, task.ID, "main.py", "one")
	b.Drain(t)
	id := b.listed(miss, "", task.ID)
	b.Submit(t, ada, task.ID, "main.py", "two")
	b.Drain(t)
	if judge.order() != "one two" {
		t.Errorf("judged: %s", judge.order())
	}
	if r := b.progress(miss, id); r.Total != 1 || r.Finished != 1 || r.Changed != 0 || r.TaskID != task.ID {
		t.Errorf("the re-judging is %+v", r)
	}
	eventstest.Verify(t, b.log)
}

func TestOnlyTeachersOfTheCourseAndAdminsHaveCodeJudgedAgain(t *testing.T) {
	b := setup(t, validationtest.Options{Judge: &fake{}})
	task := b.task(ada, "test_main.py", doubleTest)
	b.Submit(t, ada, task.ID, "main.py", "x")
	b.Drain(t)
	if _, err := b.rejudge(ada, "", task.ID); !errs.Forbidden.Is(err) {
		t.Errorf("a learner has their task judged again: %v", err)
	}
	for _, who := range []auth.Actor{bob, rita} {
		if _, err := b.rejudge(who, "", task.ID); !tasks.ErrNotFound.Is(err) {
			t.Errorf("%s has another's task judged again: %v", who.UserID, err)
		}
		if _, err := b.rejudge(who, "c1", ""); !errs.Forbidden.Is(err) {
			t.Errorf("%s has another's course judged again: %v", who.UserID, err)
		}
	}
	id := b.listed(admin, "", task.ID)
	for _, who := range []auth.Actor{ada, rita} {
		if _, err := b.Service.Rejudging(t.Context(), who, id); !validation.ErrRejudgingNotFound.Is(err) {
			t.Errorf("%s reads it: %v", who.UserID, err)
		}
	}
	if r := b.progress(miss, id); r.Total != 1 {
		t.Errorf("the course's teacher reads %+v", r)
	}
}
