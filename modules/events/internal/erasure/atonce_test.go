package erasure_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/erasure"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

func TestAskedForByManyAtOnceAPersonIsErasedOnce(t *testing.T) {
	b := setup(t)
	b.life(t, ada)
	replicas := []*erasure.Erasure{b.erasure(t, nil), b.erasure(t, nil)}
	ids := make([]string, 8)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			r, _, err := replicas[i%2].Erase(t.Context(), ada, "academy")
			if err != nil || !r.Complete || r.Tables["events.events"].Erased != 5 {
				t.Errorf("%+v, %v", r, err)
			}
			ids[i] = r.ID
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("%s and %s", id, ids[0])
		}
	}
	if n := b.count(t, `events.events WHERE type = 'user.erased'`); n != 1 {
		t.Errorf("it is said %d times", n)
	}
}

// Work of another process goes on for the person and for others while the one is
// erased: not a row of hers is left, not one of others' is lost.
func TestWhatOtherProcessesWriteMeanwhileIsRefusedForThePersonAlone(t *testing.T) {
	b := setup(t)
	b.life(t, ada)
	here, there := b.runs(t), b.runs(t)
	other := events.New(b.db, events.Config{}, slog.New(slog.DiscardHandler))
	other.RefuseWhen(there.Erased) // it hears a second late
	ctx, stop := context.WithCancel(t.Context())
	var written, refused atomic.Int64
	var writers sync.WaitGroup
	for _, user := range []string{ada, ada, bob, bob} {
		writers.Go(func() {
			for ctx.Err() == nil {
				s := events.Stream{Type: "goal", ID: uuid.NewString(), SubjectID: user}
				err := b.db.InTx(context.Background(), postgres.As(auth.System("job")), func(_ context.Context, tx *postgres.Tx) error {
					other.Append(tx, s, events.AnyVersion, &goalsv1.GoalCreated{GoalId: s.ID, UserId: user, Details: &goalsv1.GoalDetails{Title: "x"}})
					return nil
				})
				switch {
				case err == nil && user == bob:
					written.Add(1)
				case auth.ErrRevoked.Is(err) && user == ada:
					refused.Add(1)
					time.Sleep(time.Millisecond)
				case err != nil:
					t.Errorf("%s: %v", user, err)
				}
			}
		})
	}
	erase(t, here, ada)
	report, err := b.log.Verify(t.Context(), events.VerifyOptions{})
	if err != nil || !report.OK() {
		t.Errorf("verify meanwhile: %v, %v", report.Differences, err)
	}
	await(t, "the other process hears", func() bool { return there.Erased(ada) })
	before := refused.Load()
	await(t, "it refuses by itself", func() bool { return refused.Load() > before+5 })
	stop()
	writers.Wait()
	if n, err := here.Replay(t.Context()); err != nil || n > 1 { // what came between the receipt and the word of it
		t.Errorf("%d people, %v", n, err)
	}
	if _, _, err := here.Finish(t.Context(), ada); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(0, b.count(t, `events.streams WHERE subject_id = $1`, ada)+b.count(t, `events.events WHERE subject_id = $1`, ada)); diff != "" {
		t.Error(diff)
	}
	if n := b.count(t, `events.events WHERE subject_id = $1`, bob); int64(n) != written.Load() {
		t.Errorf("%d events of another, %d were written", n, written.Load())
	}
	b.green(t)
}
