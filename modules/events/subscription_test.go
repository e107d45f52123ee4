package events_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

const handledTable = `
	CREATE TABLE core.handled (nth bigserial, position bigint NOT NULL, stream_id text NOT NULL);
	GRANT ALL ON core.handled TO tracker_system; GRANT ALL ON SEQUENCE core.handled_nth_seq TO tracker_system`

var noteHandled = postgres.SQL("test.handled", `INSERT INTO core.handled (position, stream_id) VALUES (@position, @stream)`)

// note is a handler that leaves a row for each event.
func note(ctx context.Context, tx *postgres.Tx, e events.Event) error {
	_, err := tx.Exec(ctx, noteHandled, postgres.Args{"position": e.Position, "stream": e.Stream.Name()})
	return err
}

func (b bundle) handled(t *testing.T) (positions []int64) {
	t.Helper()
	rows, err := b.db.Pool().Query(t.Context(), `SELECT position FROM core.handled ORDER BY nth`)
	if err != nil {
		t.Fatal(err)
	}
	if positions, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
		t.Fatal(err)
	}
	return positions
}

func positionsOf(all []events.Event) []int64 {
	positions := make([]int64, len(all))
	for i, e := range all {
		positions[i] = e.Position
	}
	return positions
}

func setupHandled(t *testing.T) bundle {
	t.Helper()
	b := setup(t)
	b.exec(t, handledTable)
	return b
}

func TestASubscriptionHandlesEachEventOnceAndInOrder(t *testing.T) {
	b := setupHandled(t)
	b.create(t, goal("ada"), 0, 0) // before it runs
	b.log.Subscribe(events.Subscription{Name: "test.started", Types: []string{"goal.started"}, Handle: note})
	b.log.Subscribe(events.Subscription{Name: "test.new", Types: []string{"goal.started"}, SkipHistory: true,
		Handle: func(_ context.Context, _ *postgres.Tx, e events.Event) error {
			if e.Position <= 3 {
				t.Errorf("event %d is history", e.Position)
			}
			return nil
		}})
	eventstest.Run(t, b.log)
	eventstest.Settle(t, b.log)
	b.create(t, goal("ada"), 0, 0)
	eventstest.Settle(t, b.log)
	var want []int64
	for _, e := range b.all(t) {
		if e.Type == "goal.started" {
			want = append(want, e.Position)
		}
	}
	if got := b.handled(t); !slices.Equal(got, want) {
		t.Errorf("handled %v, want %v", got, want)
	}
}

// Replicas come and go in the middle of batches; what they handled is handled
// once. Some handlers' connections are killed: that is no fault of the event.
func TestReplicasThatCrashAndCompeteHaveTheirEffectOnce(t *testing.T) {
	b := setupHandled(t)
	var crash atomic.Bool
	replica := func() *events.Log {
		log := newLog(b.db)
		log.Subscribe(events.Subscription{Name: "test.all", Types: events.Types(), Handle: func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
			if err := note(ctx, tx, e); err != nil {
				return err
			}
			if crash.Load() && rand.IntN(200) == 0 {
				_, err := tx.Exec(ctx, killMe, postgres.Args{})
				return err
			}
			return nil
		}})
		return log
	}
	crash.Store(true)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 20 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(5+rand.IntN(60))*time.Millisecond)
				if err := replica().Run(ctx); err != nil {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	for range 150 {
		b.create(t, goal("ada"), 0, 0)
	}
	wg.Wait()
	crash.Store(false)
	last := replica()
	eventstest.Run(t, last)
	eventstest.Settle(t, last)
	unparked(t, last)
	got, want := b.handled(t), positionsOf(b.all(t))
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("handled %d events, the log has %d", len(got), len(want))
	}
}

// unparked waits until nothing is parked.
func unparked(t *testing.T, log *events.Log) {
	t.Helper()
	for range 500 {
		parked, err := log.Parked(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(parked) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("streams stay parked")
}

func TestTwoReplicasShareASubscriptionInOrder(t *testing.T) {
	b := setupHandled(t)
	other := newLog(b.db)
	var by [2]atomic.Int64
	for i, log := range []*events.Log{b.log, other} {
		log.Subscribe(events.Subscription{Name: "test.all", Types: events.Types(), Handle: func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
			by[i].Add(1)
			return note(ctx, tx, e)
		}})
		eventstest.Run(t, log)
	}
	for range 100 {
		b.create(t, goal("ada"), 0)
	}
	eventstest.Settle(t, b.log)
	eventstest.Settle(t, other)
	if got, want := b.handled(t), positionsOf(b.all(t)); !slices.Equal(got, want) {
		t.Errorf("handled %v, want %v", got, want)
	}
	t.Logf("handled by the one %d, by the other %d", by[0].Load(), by[1].Load())
}

func TestAPoisonedEventParksItsStreamAndNoOther(t *testing.T) {
	for name, fail := range map[string]func() error{
		"an error": func() error { return errors.New("poisoned\x00") },
		"a panic":  func() error { panic("poisoned") },
	} {
		t.Run(name, func(t *testing.T) {
			b := setupHandled(t)
			poisoned, fine := goal("ada"), goal("bob")
			var poison atomic.Bool
			poison.Store(true)
			var tries atomic.Int64
			b.log.Subscribe(events.Subscription{Name: "test.all", Types: events.Types(), Handle: func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
				if err := note(ctx, tx, e); err != nil {
					return err
				}
				if e.Stream.ID == poisoned.ID && e.Version == 2 && poison.Load() {
					tries.Add(1)
					return fail()
				}
				return nil
			}})
			b.create(t, poisoned, 0, 0, 0) // version 4
			b.create(t, fine, 0, 0)
			eventstest.Run(t, b.log)
			eventstest.Settle(t, b.log)
			if err := b.inTx(func(tx *postgres.Tx) error {
				b.log.Append(tx, poisoned, 4, started(poisoned))
				b.log.Append(tx, fine, 3, started(fine))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			eventstest.Settle(t, b.log)
			all := b.all(t)
			var want []int64
			for _, e := range all {
				if e.Stream.ID == fine.ID || e.Version == 1 {
					want = append(want, e.Position)
				}
			}
			if got := b.handled(t); !slices.Equal(got, want) {
				t.Fatalf("handled %v, want %v", got, want)
			}
			parked, err := b.log.Parked(t.Context())
			if err != nil || len(parked) != 1 || parked[0].StreamName != poisoned.Name() || parked[0].Position != all[1].Position || parked[0].Error == "" {
				t.Fatalf("parked %+v, %v", parked, err)
			}
			// It is tried again by itself, and in vain.
			before := tries.Load()
			waitFor(t, func() bool { return tries.Load() > before+1 })
			poison.Store(false)
			waitFor(t, func() bool {
				return b.log.Resume(t.Context(), "test.all", poisoned.Name()) != nil || len(b.handled(t)) == len(all)
			})
			unparked(t, b.log)
			for _, e := range all {
				if e.Stream.ID == poisoned.ID && e.Version > 1 {
					want = append(want, e.Position)
				}
			}
			if got := b.handled(t); !slices.Equal(got, want) {
				t.Errorf("afterwards handled %v, want %v", got, want)
			}
			// The stream goes on with the others.
			if err := b.inTx(func(tx *postgres.Tx) error {
				b.log.Append(tx, poisoned, 5, started(poisoned))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			eventstest.Settle(t, b.log)
			if got := b.handled(t); len(got) != len(all)+1 {
				t.Errorf("handled %d events, want %d", len(got), len(all)+1)
			}
			if err := b.log.Resume(t.Context(), "test.all", poisoned.Name()); !events.ErrNotParked.Is(err) {
				t.Errorf("resume of what is not parked: %v", err)
			}
		})
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("waited for 10 s in vain")
}

func TestAnEventThatIsSkippedIsGivenUpAlone(t *testing.T) {
	b := setupHandled(t)
	s := goal("ada")
	b.log.Subscribe(events.Subscription{Name: "test.all", Types: events.Types(), Handle: func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
		if e.Version == 2 {
			return errors.New("poisoned")
		}
		return note(ctx, tx, e)
	}})
	b.create(t, s, 0, 0)
	eventstest.Run(t, b.log)
	eventstest.Settle(t, b.log)
	if err := b.log.Skip(t.Context(), "test.all", s.Name()); err != nil {
		t.Fatal(err)
	}
	unparked(t, b.log)
	all := positionsOf(b.all(t))
	if got := b.handled(t); !slices.Equal(got, []int64{all[0], all[2]}) {
		t.Errorf("handled %v of %v", got, all)
	}
	if err := b.log.Skip(t.Context(), "test.all", s.Name()); !events.ErrNotParked.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestAHandlersEventsAndAStaleVersionOfItsOwn(t *testing.T) {
	b := setup(t)
	b.log.Subscribe(events.Subscription{Name: "test.progress", Types: []string{"goal.started"}, Handle: func(_ context.Context, tx *postgres.Tx, e events.Event) error {
		progress := events.Stream{Type: "goal-progress", ID: e.Stream.ID, SubjectID: e.Stream.SubjectID}
		b.log.Append(tx, progress, e.Version-2, &goalsv1.GoalProgressed{GoalId: e.Stream.ID})
		return nil
	}})
	s := goal("ada")
	eventstest.Run(t, b.log)
	b.create(t, s, 0, 0)
	eventstest.Settle(t, b.log)
	all := b.all(t)
	if got := eventstest.TypesOf(all); got != "goal.created"+strings.Repeat(" goal.started", 2)+strings.Repeat(" goal.progressed", 2) {
		t.Errorf("the log holds %s", got)
	}
	if actor := all[4].Meta.Actor; actor != "system:test.progress" {
		t.Errorf("the actor is %s", actor)
	}
	// The stream of the progress is ahead: the handler's version is stale.
	other := goal("ada")
	if err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, events.Stream{Type: "goal-progress", ID: other.ID, SubjectID: "ada"}, 0, &goalsv1.GoalProgressed{GoalId: other.ID})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	b.create(t, other, 0)
	eventstest.Settle(t, b.log)
	parked, err := b.log.Parked(t.Context())
	if err != nil || len(parked) != 1 || parked[0].StreamName != other.Name() {
		t.Errorf("parked %+v, %v", parked, err)
	}
}

func TestACheckpointFollowsWhereNothingIsToBeDone(t *testing.T) {
	b := setupHandled(t)
	b.log.Subscribe(events.Subscription{Name: "test.deleted", Types: []string{"goal.deleted"}, Handle: note})
	eventstest.Run(t, b.log)
	eventstest.Settle(t, b.log)
	if err := b.inTx(func(tx *postgres.Tx) error {
		s := goal("ada")
		for i := range int64(1200) {
			b.log.Append(tx, s, i, started(s))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	eventstest.Settle(t, b.log)
	var at int64
	b.scan(t, `SELECT position FROM events.checkpoints`, &at)
	if at < 1000 {
		t.Errorf("the checkpoint is at %d", at)
	}
}

func TestSlipsInWiringAreMetAtOnce(t *testing.T) {
	nothing := func(context.Context, *postgres.Tx, events.Event) error { return nil }
	for name, wire := range map[string]func(l *events.Log){
		"an unknown type to react to": func(l *events.Log) { l.React("goal.creatd", nothing) },
		"an unknown type to subscribe to": func(l *events.Log) {
			l.Subscribe(events.Subscription{Name: "a", Types: []string{"x"}, Handle: nothing})
		},
		"no handler": func(l *events.Log) { l.Subscribe(events.Subscription{Name: "a", Types: []string{"goal.started"}}) },
		"a name twice": func(l *events.Log) {
			for range 2 {
				l.Subscribe(events.Subscription{Name: "a", Types: []string{"goal.started"}, Handle: nothing})
			}
		},
		"two folds": func(l *events.Log) { l.Fold(noteFold{}); l.Fold(noteFold{}) },
		"two upcasters": func(l *events.Log) {
			l.Upcast("goal.started", 1, nil)
			l.Upcast("goal.started", 1, func(b []byte) ([]byte, error) { return b, nil })
			l.Upcast("goal.started", 1, nil)
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s went unnoticed", name)
				}
			}()
			wire(newLog(nil))
		}()
	}
}
