package inbox_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

func TestADeletionWaitsWhereNothingErasesPeopleYet(t *testing.T) {
	b := setup(t)
	m := message(academy.UserDeleted, "u1", 0, nil)
	b.take(inbox.Taken, m)
	b.work()
	if states, named := b.rows(); states["waiting"] != 1 || named != 1 {
		t.Fatalf("the inbox has %v, of which %d name a person", states, named)
	}
	var problem string
	if err := b.db.Pool().QueryRow(t.Context(), "SELECT problem FROM academy.inbox").Scan(&problem); err != nil || problem == "" {
		t.Errorf("problem %q, %v", problem, err)
	}
	b.hurry()
	var erased atomic.Int64
	later := setupOn(t, b.db, academy.Reaction{Name: "erasure", Types: []string{academy.UserDeleted},
		Work: func(context.Context, *postgres.Tx, academy.Change) (bool, error) { erased.Add(1); return false, nil }})
	later.work()
	if erased.Load() != 1 {
		t.Errorf("erased %d times", erased.Load())
	}
	later.take(inbox.Duplicate, m)
}

func TestWorkGoesOnInPartsAfterAnErrorAndKeepsWhatWasDone(t *testing.T) {
	var goals, rag int
	failing := true
	b := setup(t,
		academy.Reaction{Name: "goals", Types: []string{academy.CourseDeleted}, Work: func(_ context.Context, tx *postgres.Tx, c academy.Change) (bool, error) {
			if c.CourseID != "c1" || !tx.Actor().IsSystem() {
				t.Errorf("got %+v as %s", c, tx.Actor().Name())
			}
			goals++
			return goals < 3, nil
		}},
		academy.Reaction{Name: "rag", Types: []string{academy.CourseDeleted}, Work: func(context.Context, *postgres.Tx, academy.Change) (bool, error) {
			rag++
			if failing {
				return false, errors.New("the index is being rebuilt")
			}
			return false, nil
		}})
	b.take(inbox.Taken, message(academy.CourseDeleted, "c1", 0, nil))
	b.work()
	b.work() // its time has not come yet
	if goals != 3 || rag != 1 {
		t.Errorf("goals worked %d times, rag %d times", goals, rag)
	}
	failing = false
	b.hurry()
	b.work()
	if goals != 3 || rag != 2 {
		t.Errorf("after the error goals worked %d times, rag %d times", goals, rag)
	}
	if states, _ := b.rows(); states["done"] != 1 || states["waiting"] != 0 {
		t.Errorf("the inbox has %v", states)
	}
}

func TestOfManyReplicasOneWorksOnAMessage(t *testing.T) {
	var at, most, done atomic.Int64
	reaction := academy.Reaction{Name: "slow", Types: []string{academy.CourseDeleted}, Work: func(context.Context, *postgres.Tx, academy.Change) (bool, error) {
		n := at.Add(1)
		defer at.Add(-1)
		most.Store(max(most.Load(), n))
		time.Sleep(50 * time.Millisecond)
		done.Add(1)
		return false, nil
	}}
	b := setup(t, reaction)
	b.take(inbox.Taken, message(academy.CourseDeleted, "c1", 0, nil))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(b.work)
	}
	wg.Wait()
	if most.Load() != 1 || done.Load() != 1 {
		t.Errorf("%d at once, %d times", most.Load(), done.Load())
	}
}

func TestWhatAKilledReplicaBeganAnotherFinishes(t *testing.T) {
	dying, kill := context.WithCancel(t.Context())
	parts := 0
	part := func(stop int) academy.Reaction {
		return academy.Reaction{Name: "goals", Types: []string{academy.CourseDeleted}, Work: func(ctx context.Context, _ *postgres.Tx, _ academy.Change) (bool, error) {
			if parts == stop {
				kill()
				return false, ctx.Err()
			}
			parts++
			return parts < 4, nil
		}}
	}
	b := setup(t, part(2))
	b.take(inbox.Taken, message(academy.CourseDeleted, "c1", 0, nil))
	if err := b.Work(dying); err == nil {
		t.Fatal("it was not killed")
	}
	other := setupOn(t, b.db, part(-1))
	other.work() // the lease of the one that died still holds
	if parts != 2 {
		t.Fatalf("%d parts were done under another's lease", parts)
	}
	b.hurry()
	other.work()
	if states, _ := b.rows(); parts != 4 || states["done"] != 1 {
		t.Errorf("%d parts, the inbox has %v", parts, states)
	}
}

func TestAReactionThatErasesItsOwnMessageIsNotUndone(t *testing.T) {
	b := setup(t, academy.Reaction{Name: "erasure", Types: []string{academy.UserDeleted}, Work: func(ctx context.Context, tx *postgres.Tx, c academy.Change) (bool, error) {
		raw, err := tx.PGX(ctx)
		if err != nil {
			return false, err
		}
		_, err = raw.Exec(ctx, "DELETE FROM academy.inbox WHERE user_id = $1", c.UserID)
		return false, err
	}})
	b.take(inbox.Taken, message(academy.UserDeleted, "u1", 0, nil))
	b.work()
	if states, _ := b.rows(); len(states) != 0 {
		t.Errorf("the inbox has %v", states)
	}
}

func TestWhatIsOverAMonthOldIsForgotten(t *testing.T) {
	b := setup(t)
	b.take(inbox.Taken, message(academy.UserUpdated, "u1", 0, nil))
	fresh := message(academy.UserUpdated, "u2", 0, nil)
	fresh.Time = time.Now()
	b.take(inbox.Taken, fresh)
	if _, err := b.db.Pool().Exec(t.Context(), `UPDATE academy.users SET occurred_at = now() - interval '31 days' WHERE user_id = 'u1';
		UPDATE academy.inbox SET received_at = now() - interval '31 days' WHERE occurred_at < now() - interval '1 day'`); err != nil {
		t.Fatal(err)
	}
	b.work()
	var users string
	if err := b.db.Pool().QueryRow(t.Context(), "SELECT string_agg(user_id, ',') FROM academy.users").Scan(&users); err != nil || users != "u2" {
		t.Errorf("known are %q, %v", users, err)
	}
	if states, _ := b.rows(); states["done"] != 1 {
		t.Errorf("the inbox has %v", states)
	}
}
