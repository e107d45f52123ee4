package agents_test

import (
	"context"
	"testing"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
)

func TestOneOpenDisputeOfAnOutputAndPersonAndNoneOfATaskThatIsGone(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	_, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	first, err := b.file(ada, agents.OutputFeedback, f.ID, "")
	if err != nil || first.Status != agents.DisputeOpen {
		t.Fatal(first, err)
	}
	second, err := b.file(ada, agents.OutputFeedback, f.ID, "")
	if err != nil || second.ID != first.ID || second.RunID != first.RunID {
		t.Errorf("the same again: %s, %v", second.ID, err)
	}
	// The team has one of its own.
	theirs, err := b.file(tess, agents.OutputFeedback, f.ID, "")
	if err != nil || theirs.ID == first.ID || theirs.By != "teacher" || theirs.UserID != "ada" {
		t.Errorf("got %+v, %v", theirs, err)
	}
	// A dispute whose run came to nothing is looked at another time.
	if _, err := do(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
		return b.agents.CancelTx(ctx, tx, first.RunID, "")
	}); err != nil {
		t.Fatal(err)
	}
	if second, err = b.file(ada, agents.OutputFeedback, f.ID, ""); err != nil || second.ID != first.ID || second.RunID == first.RunID {
		t.Errorf("got %s by run %s, %v", second.ID, second.RunID, err)
	}
	// One that the team settles meanwhile is left as it is.
	if _, err := b.settle(tess, first.ID, agents.Settlement{Outcome: agents.DisputeCorrected, Why: agents.WhyOutdated, Note: "Partly."}); err != nil {
		t.Fatal(err)
	}
	b.agents.Drain(t)
	if d, _ := b.agents.Dispute(t.Context(), ada, first.ID); d.Status != agents.DisputeCorrected || d.SettledBy != agents.SettledByTeacher {
		t.Errorf("got %s by %s", d.Status, d.SettledBy)
	}
	mine, err := b.agents.ListDisputes(t.Context(), ada, agents.DisputeQuery{Size: 1})
	if err != nil || len(mine.Disputes) != 1 || mine.Next == "" {
		t.Fatalf("got %+v, %v", mine, err)
	}
	rest, err := b.agents.ListDisputes(t.Context(), ada, agents.DisputeQuery{Size: 1, Token: mine.Next})
	if err != nil || len(rest.Disputes) != 1 || rest.Disputes[0].ID == mine.Disputes[0].ID || rest.Next != "" {
		t.Errorf("got %+v, %v", rest, err)
	}
	for actor, want := range map[string]int{"tess": 2, "bob": 0} {
		who := map[string]auth.Actor{"tess": tess, "bob": bob}[actor]
		page, err := b.agents.ListDisputes(t.Context(), who, agents.DisputeQuery{CourseID: english})
		if err != nil || len(page.Disputes) != want {
			t.Errorf("%s sees %d disputes of the course, %v", actor, len(page.Disputes), err)
		}
	}
	// They go with their task.
	must(b, ada, func(ctx context.Context, tx *postgres.Tx) (struct{}, error) {
		return struct{}{}, b.tasks.DeleteTx(ctx, tx, task.ID, nil)
	})
	if _, err := b.agents.Dispute(t.Context(), ada, first.ID); !agents.ErrDisputeNotFound.Is(err) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestWhatATeacherSaidOfAnOutputIsNotLookedAtAgain(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	s, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	d := b.dispute(ada, agents.OutputFeedback, f.ID, "")
	if _, err := b.settle(tess, d.ID, agents.Settlement{Outcome: agents.DisputeUpheld, Note: "Look at the range."}); err != nil {
		t.Fatal(err)
	}
	// Rules would withdraw it now; who teaches the course has the last word.
	b.spoil(`UPDATE agents.feedback SET comments = replace(replace(comments::text, '"test_id":"', '"test_id":"x'), '"rule":"', '"rule":"x')::json WHERE id = $1`, f.ID)
	for _, part := range []string{"", "1"} {
		if again := b.dispute(ada, agents.OutputFeedback, f.ID, part); again.ID != d.ID || again.Status != agents.DisputeUpheld || again.SettledBy != agents.SettledByTeacher {
			t.Errorf("part %q is %s by %s", part, again.Status, again.SettledBy)
		}
	}
	if f, err := b.agents.Feedback(t.Context(), ada, s.RunID); err != nil || f.Dispute != agents.DisputeUpheld || f.Comments[0].Withdrawn {
		t.Errorf("the feedback stands %q, %v", f.Dispute, err)
	}
	// A teacher who can't tell leaves it open to another look.
	if _, err := b.settle(tess, d.ID, agents.Settlement{Outcome: agents.DisputeUnclear, Note: "Hm."}); err != nil {
		t.Fatal(err)
	}
	if again := b.dispute(ada, agents.OutputFeedback, f.ID, ""); again.ID == d.ID || again.Status != agents.DisputeWithdrawn {
		t.Errorf("it is %s by %s", again.Status, again.SettledBy)
	}
}

func TestOnePersonHasABoundedNumberOfLooksAtTheSameInADay(t *testing.T) {
	b := setup(t, nil)
	eventstest.Run(t, b.log)
	task := b.exercise(ada, english, "Understand loops", "Countdown")
	_, f := b.submit(ada, task.ID, "countdown.py", wrongCountdown)
	seen := map[string]bool{}
	for range 6 {
		seen[b.dispute(ada, agents.OutputFeedback, f.ID, "").RunID] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d runs looked at the same", len(seen))
	}
	// Who ends the runs before they come to anything gets no more either.
	clear(seen)
	for range 6 {
		d, err := b.file(ada, agents.OutputFeedback, f.ID, "1")
		if err != nil {
			t.Fatal(err)
		}
		seen[d.RunID] = true
		_, err = do(b, ada, func(ctx context.Context, tx *postgres.Tx) (agents.Run, error) {
			return b.agents.CancelTx(ctx, tx, d.RunID, "")
		})
		if err != nil && !agents.ErrRunOver.Is(err) {
			t.Fatal(err)
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d runs were begun and ended", len(seen))
	}
	// Another has looks of their own, and tomorrow is another day.
	if d := b.dispute(tess, agents.OutputFeedback, f.ID, ""); d.By != "teacher" || d.Status != agents.DisputeUpheld {
		t.Errorf("got %+v", d)
	}
	b.spoil(`UPDATE agents.disputes SET created_at = created_at - interval '25 hours' WHERE part = ''`)
	last := b.dispute(ada, agents.OutputFeedback, f.ID, "")
	if seen[last.RunID] || last.CreatedAt.Before(f.CreatedAt) {
		t.Errorf("nobody looks at it a day later: %+v", last)
	}
}
