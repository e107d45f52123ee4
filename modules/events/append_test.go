package events_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
)

func TestWhatIsAppendedIsReadBackAsItWasReturned(t *testing.T) {
	b := setup(t)
	s := goal("ada")
	s.CourseID = "c1"
	payload := created(s, "Learn Go")
	payload.Details.DueAt = timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC))
	var returned []events.Event
	if err := b.inTx(func(tx *postgres.Tx) error {
		returned = b.log.Append(tx, s, 0, payload, started(s))
		payload.Details.Title = "changed afterwards"
		if now := b.log.Now(tx); !now.Equal(returned[0].OccurredAt) || now.Nanosecond()%1000 != 0 {
			t.Errorf("the unit of work is at %v, its event at %v", now, returned[0].OccurredAt)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	read := b.all(t)
	if len(read) != 2 {
		t.Fatalf("read %d events, want 2", len(read))
	}
	for i, got := range read {
		want := returned[i]
		if got.Position <= int64(i) || want.Position != 0 {
			t.Errorf("position %d, returned %d", got.Position, want.Position)
		}
		if !proto.Equal(got.Data, want.Data) {
			t.Errorf("event %d: read %v, returned %v", i, got.Data, want.Data)
		}
		if got.ID != want.ID || got.ID.Version() != 7 || got.Stream != want.Stream || got.Version != int64(i)+1 || got.Version != want.Version ||
			got.Type != want.Type || got.SchemaVersion != want.SchemaVersion || got.Meta != want.Meta || !got.OccurredAt.Equal(want.OccurredAt) {
			t.Errorf("event %d:\n read %+v\n returned %+v", i, got, want)
		}
	}
	if got := read[0]; got.Type != "goal.created" || got.Meta != (events.Meta{Actor: "ada", RequestID: "req-1"}) || got.SchemaVersion != 1 {
		t.Errorf("read %+v", got)
	}
	if got := read[0].Data.(*goalsv1.GoalCreated); got.Details.Title != "Learn Go" || got.Details.Metadata == "" {
		t.Errorf("the payload is %v", got)
	}
}

func TestAStaleVersionIsRefusedWithTheCurrentOne(t *testing.T) {
	b := setup(t)
	s := goal("ada")
	b.create(t, s, 0, 0) // version 3
	for _, expected := range []int64{0, 1, 2, 4, 7} {
		err := b.inTx(func(tx *postgres.Tx) error {
			b.log.Append(tx, s, expected, started(s))
			return nil
		})
		var e *errs.Error
		if !errs.StaleVersion.Is(err) || !errors.As(err, &e) || e.Details["version"] != "3" {
			t.Errorf("expected %d: got %v", expected, err)
		}
	}
	err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, goal("ada"), 2, started(s))
		return nil
	})
	if !errs.StaleVersion.Is(err) {
		t.Errorf("a version of a stream that does not exist: got %v", err)
	}
	err = b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, s, 3, started(s))
		b.log.Append(tx, s, 3, started(s)) // has 4 by now
		return nil
	})
	if !errs.StaleVersion.Is(err) {
		t.Errorf("a version that the unit of work itself has passed: got %v", err)
	}
	if n := len(b.all(t)); n != 3 {
		t.Errorf("%d events are in the log, want 3", n)
	}
}

func TestOfWritersAtTheSameVersionOneWins(t *testing.T) {
	b := setup(t)
	s := goal("ada")
	for expected := range int64(3) {
		results := make(chan error, 8)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				results <- b.inTx(func(tx *postgres.Tx) error {
					b.log.Append(tx, s, expected, created(s, "x"))
					return nil
				})
			})
		}
		wg.Wait()
		close(results)
		won := 0
		for err := range results {
			if err == nil {
				won++
			} else if !errs.StaleVersion.Is(err) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d writers won at version %d, want 1", won, expected)
		}
	}
}

func TestAnEmptyAppendNeverTouchesTheStream(t *testing.T) {
	b := setup(t)
	s := goal("ada")
	b.create(t, s)
	var before, after string
	b.scan(t, "SELECT xmin::text FROM events.streams", &before)
	err := b.inTx(func(tx *postgres.Tx) error {
		if got := b.log.Append(tx, s, 99); got != nil {
			t.Errorf("got %v", got)
		}
		return nil
	})
	b.scan(t, "SELECT xmin::text FROM events.streams", &after)
	if err != nil || before != after {
		t.Errorf("err %v, row written by %s, then %s", err, before, after)
	}
}

func TestAnyVersionAppendsAtTheEndWhateverItIs(t *testing.T) {
	b := setup(t)
	s := goal("ada")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if err := b.inTx(func(tx *postgres.Tx) error {
					b.log.Append(tx, s, events.AnyVersion, started(s))
					b.log.Append(tx, s, events.AnyVersion, started(s))
					return nil
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	history, err := b.log.Show(t.Context(), s.Name())
	if err != nil || len(history) != 80 {
		t.Fatalf("%d events, %v", len(history), err)
	}
	for i, e := range history {
		if e.Version != int64(i)+1 {
			t.Fatalf("event %d has version %d", i, e.Version)
		}
	}
}

func TestAnUndoneUnitOfWorkLeavesNoEvent(t *testing.T) {
	b := setup(t)
	boom := errors.New("boom")
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, goal("ada"), 0, created(goal("ada"), "x"))
		return boom
	}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if n := len(b.all(t)); n != 0 {
		t.Errorf("%d events are in the log", n)
	}
}

func TestWhatIsNoEventIsRefused(t *testing.T) {
	b := setup(t)
	s := goal("ada")
	for name, c := range map[string]struct {
		stream  events.Stream
		payload proto.Message
	}{
		"a message without type": {s, &goalsv1.Goal{}},
		"a stream without id":    {events.Stream{Type: "goal"}, started(s)},
		"bad metadata":           {s, &goalsv1.GoalCreated{Details: &goalsv1.GoalDetails{Metadata: "{"}}},
		"a NUL":                  {s, &goalsv1.GoalBlocked{Reason: "a\x00b"}},
	} {
		if err := b.inTx(func(tx *postgres.Tx) error {
			b.log.Append(tx, c.stream, 0, c.payload)
			return nil
		}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestAStreamKeepsItsSubject(t *testing.T) {
	b := setup(t)
	s := goal("ada")
	b.create(t, s)
	s.SubjectID = "bob"
	for _, expected := range []int64{1, events.AnyVersion} {
		err := b.inTx(func(tx *postgres.Tx) error {
			b.log.Append(tx, s, expected, started(s))
			return nil
		})
		if err == nil || errs.StaleVersion.Is(err) {
			t.Errorf("expected %d: got %v", expected, err)
		}
	}
}

func TestEventsAboutATaskAreFoundUnderItsGoal(t *testing.T) {
	b := setup(t)
	goalID, taskID := uuid.New(), uuid.New()
	task := events.Stream{Type: "task", ID: taskID.String(), SubjectID: "ada"}
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, task, 0, &tasksv1.TaskCreated{TaskId: task.ID, GoalId: goalID.String()}, &tasksv1.TaskStarted{TaskId: task.ID})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, task, 2, &tasksv1.TaskSkipped{TaskId: task.ID})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, f := range []events.Filter{{For: learner("ada"), GoalID: goalID}, {For: learner("ada"), TaskID: taskID}} {
		got, _, err := b.log.Read(t.Context(), b.db.As(learner("ada")), f)
		if err != nil || len(got) != 3 {
			t.Errorf("%+v: %d events, %v", f, len(got), err)
		}
	}
}

func TestReactionsRunInTheTransactionBeforeAnythingIsWritten(t *testing.T) {
	b := setup(t)
	s := goal("ada")
	progress := events.Stream{Type: "goal-progress", ID: s.ID, SubjectID: "ada"}
	var order []string
	b.log.React("goal.created", func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
		order = append(order, e.Type)
		var role string
		if err := tx.QueryRow(ctx, whoAmI, postgres.Args{}).Scan(&role); err != nil || role != "tracker_system" {
			t.Errorf("reactions run as %s (%v)", role, err)
		}
		if tx.Actor().UserID != "ada" {
			t.Errorf("the actor is %s", tx.Actor().Name())
		}
		tx.BeforeCommit(func(context.Context, *postgres.Tx) error { order = append(order, "hook"); return nil })
		b.log.Append(tx, progress, 0, &goalsv1.GoalProgressed{GoalId: s.ID, Progress: 5})
		return nil
	})
	b.log.React("goal.progressed", func(_ context.Context, tx *postgres.Tx, e events.Event) error {
		order = append(order, e.Type)
		b.log.Append(tx, s, 1, started(s))
		return nil
	})
	b.create(t, s)
	if got := strings.Join(order, " "); got != "goal.created goal.progressed hook" {
		t.Errorf("order %q", got)
	}
	if got := eventstest.TypesOf(b.all(t)); got != "goal.created goal.progressed goal.started" {
		t.Errorf("the log holds %q", got)
	}
}

var whoAmI = postgres.SQL("test.events.whoami", `SELECT current_user::text`)

func TestAHookMayAppendAfterTheReactions(t *testing.T) {
	b := setup(t)
	first, second, third := goal("ada"), goal("ada"), goal("ada")
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, first, 0, created(first, "1"))
		tx.BeforeCommit(func(_ context.Context, tx *postgres.Tx) error {
			b.log.Append(tx, second, 0, created(second, "2"))
			tx.BeforeCommit(func(_ context.Context, tx *postgres.Tx) error {
				b.log.Append(tx, third, 0, created(third, "3")) // after the writing
				b.log.Append(tx, first, 1, started(first))
				return nil
			})
			return nil
		})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n := len(b.all(t)); n != 4 {
		t.Errorf("%d events, want 4", n)
	}
}

func TestAFailingReactionUndoesEverything(t *testing.T) {
	b := setup(t)
	boom := errors.New("boom")
	b.log.React("goal.started", func(context.Context, *postgres.Tx, events.Event) error { return boom })
	s := goal("ada")
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, s, 0, created(s, "x"), started(s))
		return nil
	}); !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if n := len(b.all(t)); n != 0 {
		t.Errorf("%d events are in the log", n)
	}
}

func TestReactionsThatCauseEachOtherEndInAnError(t *testing.T) {
	b := setup(t)
	b.log.React("goal.started", func(_ context.Context, tx *postgres.Tx, e events.Event) error {
		b.log.Append(tx, e.Stream, e.Version, started(e.Stream))
		return nil
	})
	s := goal("ada")
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, s, 0, started(s))
		return nil
	}); err == nil || !strings.Contains(err.Error(), "caused each other") {
		t.Errorf("got %v", err)
	}
}
