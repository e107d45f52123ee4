package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// ear is a queue of somebody else that wants every event.
type ear struct {
	mu    sync.Mutex
	times map[string]int
	order []string
}

func listenIn(t *testing.T, address string) *ear {
	t.Helper()
	conn, err := broker.New(broker.Config{URL: config.Secret(address)}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{times: map[string]int{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = conn.Run(ctx) })
	running.Go(func() {
		queue := broker.Queue{Name: "ear", Bindings: []broker.Binding{{Exchange: "goals.events", Key: "#"}}}
		_ = conn.Consume(ctx, broker.Consumer{Queue: queue, Handle: func(_ context.Context, d broker.Delivery) error {
			e.mu.Lock()
			defer e.mu.Unlock()
			if e.times[d.ID]++; e.times[d.ID] == 1 {
				e.order = append(e.order, d.ID)
			}
			return nil
		}})
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	until(t, time.Minute, func() (any, bool) { _, err := conn.DeadLetters(t.Context(), "ear", 1); return err, err == nil })
	return e
}

// heard are the ids that came, in the order of their first coming, and how often
// one did.
func (e *ear) heard(id string) (order []string, times int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.order), e.times[id]
}

// logged are the ids of the log.
func logged(t *testing.T, db *postgres.DB) (ids []string) {
	t.Helper()
	if err := db.Pool().QueryRow(t.Context(), `SELECT coalesce(array_agg(event_id::text ORDER BY position), '{}') FROM events.events`).Scan(&ids); err != nil {
		t.Fatal(err)
	}
	return ids
}

// hearsAll waits until the whole log has come, and looks at its order.
func (e *ear) hearsAll(t *testing.T, db *postgres.DB) {
	t.Helper()
	want := logged(t, db)
	order := until(t, time.Minute, func() ([]string, bool) { order, _ := e.heard(""); return order, len(order) >= len(want) })
	if !slices.Equal(order, want) {
		t.Errorf("%v were heard, the log is %v", order, want)
	}
}

type standing struct {
	Position int64
	Holder   string
}

func publisher(t *testing.T, db *postgres.DB) (s standing) {
	t.Helper()
	if err := db.Pool().QueryRow(t.Context(), `SELECT position, coalesce(holder, '') FROM events.publishers`).Scan(&s.Position, &s.Holder); err != nil {
		t.Fatal(err)
	}
	return s
}

// Two processes that publish: one sleeps through the end of its lease, and does
// no harm when it wakes; the other is killed when what it has sent is there, but
// not noted. Nothing is lost, the order holds, what comes again is known.
func TestAPublisherThatSleepsOrIsKilledBeforeItsCheckpointLosesAndMovesNothing(t *testing.T) {
	if os.Getenv("TRACKER_TEST_FULL") == "" {
		t.Skip("two servers that wait for each other's leases take half a minute: set TRACKER_TEST_FULL=1")
	}
	address, url := brokertest.URL(t), postgrestest.URL(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	env := []string{"DATABASE_URL=" + url, "RABBITMQ_URL=" + address, "TRACKER_EVENTS_PUBLISH_LEASE=3s"}
	ear := listenIn(t, address)
	first := replica(t, "api,publisher", env...)
	goals := 0
	create := func(p *process) {
		t.Helper()
		goals++
		p.as("ada").must(http.MethodPost, "/api/v1/goals", map[string]any{"title": fmt.Sprint("Goal ", goals)})
	}
	create(first)
	ear.hearsAll(t, db)
	one := until(t, time.Minute, func() (standing, bool) { s := publisher(t, db); return s, s.Position == 1 && s.Holder != "" })
	second := replica(t, "api,publisher", env...)

	if err := first.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.cmd.Process.Signal(syscall.SIGCONT) }) // or it could not end
	create(second)
	ear.hearsAll(t, db)
	two := until(t, time.Minute, func() (standing, bool) { s := publisher(t, db); return s, s.Position == 2 && s.Holder != one.Holder })
	if err := first.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	create(first) // it is awake
	ear.hearsAll(t, db)
	if s := until(t, time.Minute, func() (standing, bool) { s := publisher(t, db); return s, s.Position == 3 }); s.Holder != two.Holder {
		t.Errorf("after the other one woke, %+v publishes, not %+v", s, two)
	}

	// Nobody can note anything now; the test is lucky when the publisher was not
	// about to, and tries again when not.
	sent := ""
	for tries := 0; sent == ""; tries++ {
		if tries == 20 {
			t.Fatal("nothing was published while nothing could be noted")
		}
		tx, err := db.Pool().Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `SELECT FROM events.publishers FOR UPDATE`); err != nil {
			t.Fatal(err)
		}
		create(first)
		last := logged(t, db)[goals-1]
		for wait := time.Now(); time.Since(wait) < time.Second && sent == ""; time.Sleep(20 * time.Millisecond) {
			if _, times := ear.heard(last); times > 0 {
				sent = last
			}
		}
		if sent != "" {
			second.kill()
			// What it has asked of the database must die with it.
			if _, err := db.Pool().Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	create(first)
	ear.hearsAll(t, db)
	s := until(t, time.Minute, func() (standing, bool) { s := publisher(t, db); return s, s.Position == int64(goals) })
	if s.Holder == two.Holder {
		t.Errorf("the killed one publishes: %+v", s)
	}
	if _, times := ear.heard(sent); times < 2 {
		t.Errorf("what was not noted came %d times: was it not killed in between?", times)
	}
}
