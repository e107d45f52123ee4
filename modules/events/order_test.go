package events_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
)

var pause = postgres.SQL("test.events.pause", `SELECT pg_sleep(@seconds)`)

// The proof of law 2. Sixteen writers with pauses before and after the insert,
// rollbacks, and killed backends; two replicas' tailers and a pager; a
// transaction that has nothing to do with it stays open all the while.
func TestEveryCommittedEventIsSeenOnceAndInOrderByEveryReader(t *testing.T) {
	const writers = 16
	each := 60
	if testing.Short() {
		each = 10
	}
	db, err := postgres.Open(t.Context(), postgres.Config{URL: postgrestest.URL(t), MaxConns: writers + 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	b := bundle{db, newLog(db)}

	unrelated, err := db.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unrelated.Rollback(context.Background()) }()
	for _, sql := range []string{"CREATE TABLE core.unrelated ()", "SELECT pg_advisory_xact_lock(7)", "SELECT pg_advisory_xact_lock_shared(1, 2)"} {
		if _, err := unrelated.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	readers := []*reading{follow(t, b.log), follow(t, newLog(db)), b.page(ctx)}

	undone := errors.New("undone on purpose")
	var mu sync.Mutex
	committed := map[uuid.UUID]bool{}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 1))
			s := goal(fmt.Sprintf("user-%d", w))
			for i := 0; i < each; {
				before, after := random.IntN(4), random.IntN(8)
				fate := random.IntN(10)
				var appended []events.Event
				err := db.InTx(context.Background(), postgres.As(learner(s.SubjectID)), func(ctx context.Context, tx *postgres.Tx) error {
					if _, err := tx.Exec(ctx, pause, postgres.Args{"seconds": float64(before) / 1000}); err != nil {
						return err
					}
					appended = b.log.Append(tx, s, events.AnyVersion, started(s), started(s))
					tx.BeforeCommit(func(_ context.Context, tx *postgres.Tx) error {
						// A hook of the second round comes after the writing.
						tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error {
							if _, err := tx.Exec(ctx, pause, postgres.Args{"seconds": float64(after) / 1000}); err != nil {
								return err
							}
							switch fate {
							case 0:
								return undone
							case 1:
								_, _ = tx.Exec(ctx, killMe, postgres.Args{})
							}
							return nil
						})
						return nil
					})
					return nil
				})
				mu.Lock()
				for _, e := range appended {
					switch {
					case err == nil:
						committed[e.ID] = true
					case fate > 1:
						t.Errorf("writer %d: %v", w, err)
					}
				}
				mu.Unlock()
				if err == nil {
					i++
				}
			}
		})
	}
	all.Wait()
	var stored int
	b.scan(t, "SELECT count(*) FROM events.events", &stored)
	if stored != len(committed) || stored != writers*each*2 {
		t.Fatalf("%d events are stored, %d were acknowledged, %d wanted", stored, len(committed), writers*each*2)
	}
	for i, r := range readers {
		seen := r.wait(t, stored)
		if !slices.IsSortedFunc(seen, func(a, b events.Event) int { return int(a.Position - b.Position) }) {
			t.Errorf("reader %d: out of order", i)
		}
		ids := map[uuid.UUID]bool{}
		for _, e := range seen {
			if ids[e.ID] {
				t.Errorf("reader %d: event %d twice", i, e.Position)
			}
			if ids[e.ID] = true; !committed[e.ID] {
				t.Errorf("reader %d: event %d was never committed", i, e.Position)
			}
		}
	}
	eventstest.Verify(t, b.log)
}

var killMe = postgres.SQL("test.events.kill", `SELECT pg_terminate_backend(pg_backend_pid())`)

// reading is what a reader has seen.
type reading struct {
	mu   sync.Mutex
	seen []events.Event
}

func (r *reading) add(some []events.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, some...)
}

// wait until n events were seen, and then some, for those too many.
func (r *reading) wait(t *testing.T, n int) []events.Event {
	t.Helper()
	for range 1000 {
		r.mu.Lock()
		seen := len(r.seen)
		r.mu.Unlock()
		if seen >= n {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) != n {
		t.Errorf("saw %d events, want %d", len(r.seen), n)
	}
	return slices.Clone(r.seen)
}

// follow runs a replica and follows it from the beginning.
func follow(t *testing.T, log *events.Log) *reading {
	t.Helper()
	eventstest.Run(t, log)
	r := &reading{}
	tail := log.Tail(0)
	go func() {
		for {
			some, err := tail.Next(t.Context())
			if err != nil {
				return
			}
			r.add(some)
		}
	}()
	return r
}

// page pages through the log as ListEvents does, without a tailer.
func (b bundle) page(ctx context.Context) *reading {
	r := &reading{}
	go func() {
		after := int64(0)
		for ctx.Err() == nil {
			some, _, err := b.log.Read(ctx, b.db.As(system), events.Filter{For: system, After: after, Limit: 7})
			if err != nil {
				return
			}
			if len(some) > 0 {
				after = some[len(some)-1].Position
				r.add(some)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return r
}

func TestAFollowerThatLagsReadsWhatMemoryNoLongerHas(t *testing.T) {
	b := setup(t)
	small := events.New(b.db, events.Config{HistoryEvents: 5}, nil)
	b.create(t, goal("ada"), 0) // before it runs
	eventstest.Run(t, small)
	tail, fresh := small.Tail(0), small.Tail(events.Now)
	eventstest.Settle(t, small)
	first, err := tail.Next(t.Context())
	if err != nil || len(first) == 0 {
		t.Fatal(first, err)
	}
	late := make(chan []events.Event, 1)
	go func() {
		some, _ := fresh.Next(t.Context())
		late <- some
	}()
	time.Sleep(20 * time.Millisecond) // the fresh one has looked where the log ends
	const more = 40
	for range more {
		b.create(t, goal("ada"))
	}
	eventstest.Settle(t, small)
	seen := first
	for len(seen) < more+2 {
		some, err := tail.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, some...)
	}
	if all := b.all(t); len(seen) != len(all) {
		t.Errorf("saw %d events of %d", len(seen), len(all))
	}
	for i, e := range seen[1:] {
		if e.Position <= seen[i].Position {
			t.Errorf("position %d after %d", e.Position, seen[i].Position)
		}
	}
	if some := <-late; len(some) == 0 || some[0].Position <= first[len(first)-1].Position {
		t.Errorf("a follower from now on saw %v", some)
	}
}

func TestAnEventReachesFollowersHereAndElsewhereSoon(t *testing.T) {
	b := setup(t)
	slow := events.Config{PollEvery: time.Minute} // wake-ups alone must do
	here, there := events.New(b.db, slow, nil), events.New(b.db, slow, nil)
	b.log = here
	eventstest.Run(t, here)
	eventstest.Run(t, there)
	tails := []*events.Tail{here.Tail(0), there.Tail(0)}
	var mostHere, mostThere time.Duration
	for i := range 20 {
		time.Sleep(15 * time.Millisecond)
		if i == 0 {
			time.Sleep(300 * time.Millisecond) // both listen
		}
		start := time.Now()
		b.create(t, goal("ada"))
		for n, most := range []*time.Duration{&mostHere, &mostThere} {
			if _, err := tails[n].Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			*most = max(*most, time.Since(start))
		}
	}
	t.Logf("commit to follower, at most: %s here, %s on another replica", mostHere, mostThere)
	if mostHere > 2*time.Second || mostThere > 2*time.Second {
		t.Errorf("commit to follower: %s here, %s on another replica", mostHere, mostThere)
	}
}
