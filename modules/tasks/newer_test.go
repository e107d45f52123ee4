package tasks_test

import (
	"context"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/convert"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
)

// Neither a verdict nor a word of the reviewer about older code stands beside
// newer code, at whatever moment the task is read.
func TestWhatWasSaidOfOlderCodeIsNotShownOfNewer(t *testing.T) {
	b := setup(t)
	id := b.create(ada, b.goal(ada, "").ID, taskstest.Code("Write"))[0].ID
	shows := func(moment string, number int32, verdict, feedback string) {
		t.Helper()
		got := convert.Task(b.get(ada, id))
		if r := got.GetValidationResult(); r.GetSnapshotNumber() != number || r.GetVerdict() != verdict || got.GetAiFeedback() != feedback {
			t.Errorf("%s: it shows snapshot %d: %q, %q; want %d: %q, %q", moment, r.GetSnapshotNumber(), r.GetVerdict(), got.GetAiFeedback(), number, verdict, feedback)
		}
	}
	say := func(text string) {
		t.Helper()
		if _, err := b.do(system, func(ctx context.Context, tx *postgres.Tx) (tasks.Task, error) {
			return b.tasks.FeedbackTx(ctx, tx, id, text)
		}); err != nil {
			t.Fatal(err)
		}
	}
	submit := func(verdict string) tasks.Result {
		t.Helper()
		r, err := b.submit(ada, id, verdict)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	judge := func(r tasks.Result) {
		t.Helper()
		if _, err := b.verdict(id, r); err != nil {
			t.Fatal(err)
		}
	}
	judge(submit("failed"))
	say("one is wrong")
	shows("judged and reviewed", 1, "failed", "one is wrong")
	second := submit("platform_error")
	shows("while the second is judged", 0, "", "")
	judge(second)
	shows("given back, as if nothing had been sent", 1, "failed", "one is wrong")
	third := submit("failed")
	shows("while the third is judged", 0, "", "")
	judge(third)
	shows("before the third is reviewed", 3, "failed", "")
	say("another is wrong")
	shows("reviewed again", 3, "failed", "another is wrong")
	again := third
	again.Verdict = "passed"
	judge(again) // a teacher mended the tests
	shows("judged again, the same code", 3, "passed", "another is wrong")
	b.verify()
}
