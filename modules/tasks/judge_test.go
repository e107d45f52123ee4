package tasks_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
)

func TestASubmissionIsJudgedAndTheTaskFollows(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	id := b.create(ada, g.ID, taskstest.Code("Write"))[0].ID
	first, err := b.submit(ada, id, "failed")
	if err != nil {
		t.Fatal(err)
	}
	if got := b.get(ada, id); got.Status != tasks.StatusInReview || got.SnapshotNumber != 1 || got.StartedAt.IsZero() {
		t.Errorf("submitted: %+v", got)
	}
	b.goalIs(g.ID, goals.StatusInProgress, 0)
	if failed, err := b.verdict(id, first); err != nil || failed.Status != tasks.StatusFailed || failed.Result.Score != 0.25 {
		t.Errorf("failed: %+v, %v", failed, err)
	}
	second, err := b.submit(ada, id, "platform_error")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := b.verdict(id, first); got.Status != tasks.StatusInReview {
		t.Errorf("a verdict that came twice made a newer submission %s", got.Status)
	}
	if got, err := b.verdict(id, second); err != nil || got.Status != tasks.StatusFailed || got.Result.SnapshotNumber != 1 {
		t.Errorf("given back: %+v, %v", got, err)
	}
	third, err := b.submit(ada, id, "passed")
	if err != nil {
		t.Fatal(err)
	}
	done, err := b.verdict(id, third)
	if err != nil || done.Status != tasks.StatusCompleted || done.CompletedBy != tasks.ByVerdict || done.Result.SnapshotNumber != 3 {
		t.Errorf("passed: %+v, %v", done, err)
	}
	b.goalIs(g.ID, goals.StatusCompleted, 100)
	if _, err := b.submit(ada, id, ""); !tasks.ErrDone.Is(err) {
		t.Errorf("a submission to a completed task: %v", err)
	}
	b.typesAre("task", id, "task.created", "task.started", "task.submitted", "task.failed", "task.submitted", "task.updated", "task.submitted", "task.completed")
	b.verify()
}

func TestAnUnprovenTaskWaitsForItsLearnersWord(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	n := taskstest.Code("Write")
	n.Validation = nil
	id := b.create(ada, g.ID, n)[0].ID
	r, err := b.submit(ada, id, "unproven")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.complete(ada, id); !tasks.ErrStatus.Is(err) {
		t.Errorf("completing while in review: %v", err)
	}
	if got, err := b.verdict(id, r); err != nil || got.Status != tasks.StatusInProgress || got.Result.Verdict != "unproven" {
		t.Errorf("unproven: %+v, %v", got, err)
	}
	if done, err := b.complete(ada, id); err != nil || done.CompletedBy != tasks.BySelf {
		t.Errorf("completed: %+v, %v", done, err)
	}
	b.verify()
}

func TestATeachersWordStandsAgainstALateVerdict(t *testing.T) {
	b := setup(t)
	id := b.create(ada, b.goal(ada, "c1").ID, taskstest.Code("Write"))[0].ID
	r, err := b.submit(ada, id, "failed")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.complete(tess, id); err != nil {
		t.Fatal(err)
	}
	if got, err := b.verdict(id, r); err != nil || got.Status != tasks.StatusCompleted || got.CompletedBy != tasks.ByTeacher {
		t.Errorf("got %+v, %v", got, err)
	}
	b.verify()
}

func TestAnOlderSnapshotCanNotBeSubmitted(t *testing.T) {
	b := setup(t)
	id := b.create(ada, b.goal(ada, "").ID, taskstest.Code("Write"))[0].ID
	if _, err := b.submit(ada, id, ""); err != nil {
		t.Fatal(err)
	}
	for snapshot, number := range map[string]int{uuid.NewString(): 1, "nonsense": 2} {
		_, err := b.do(ada, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
			return b.tasks.SubmitTx(ctx, tx, id, snapshot, number)
		})
		if !errs.BadInput.Is(err) {
			t.Errorf("%s, number %d: %v", snapshot, number, err)
		}
	}
}

func TestAVerdictForADeletedTaskIsNotFound(t *testing.T) {
	b := setup(t)
	g := b.goal(ada, "")
	id := b.create(ada, g.ID, taskstest.Code("Write"))[0].ID
	r, err := b.submit(ada, id, "passed")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.remove(ada, id); err != nil {
		t.Fatal(err)
	}
	if _, err := b.verdict(id, r); !tasks.ErrNotFound.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestFeedbackIsKeptOnceAndByTheServerOnly(t *testing.T) {
	b := setup(t)
	id := b.create(ada, b.goal(ada, "").ID, taskstest.Code("Write"))[0].ID
	give := func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
		return b.tasks.FeedbackTx(ctx, tx, id, "Look at **line 3**.")
	}
	if _, err := b.do(ada, give); !errs.Forbidden.Is(err) {
		t.Errorf("a learner gives feedback: %v", err)
	}
	for range 2 {
		if got := b.must(system, give); got.Feedback != "Look at **line 3**." || got.Version != 2 {
			t.Errorf("got %+v", got)
		}
	}
	b.verify()
}

func TestNobodyJudgesByTestsThatAreLost(t *testing.T) {
	b := setup(t)
	id := b.create(ada, b.goal(ada, "").ID, taskstest.Code("Write"))[0].ID
	for _, tamper := range []struct{ name, statement string }{
		{"changed", "UPDATE tasks.files SET content = 'pass' WHERE digest = $1"},
		{"gone", "DELETE FROM tasks.files WHERE digest = $1"}, // last: nothing is left to change
	} {
		if tag, err := b.db.Pool().Exec(t.Context(), tamper.statement, tasks.Digest("def test_secret(): pass\n")); err != nil || tag.RowsAffected() != 1 {
			t.Fatal(tag, err)
		}
		if _, err := b.tasks.Get(t.Context(), system, id); err == nil || errs.CodeOf(err) != errs.Internal {
			t.Errorf("the system reads a hidden test that is %s: %v", tamper.name, err)
		}
		b.get(ada, id) // a learner goes on
	}
}
