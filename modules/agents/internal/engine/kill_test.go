package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
)

// workerURL makes this test program a worker on that database.
const workerURL = "AGENTS_TEST_WORKER"

func TestMain(m *testing.M) {
	if url := os.Getenv(workerURL); url != "" {
		if at := os.Getenv(killAt); at != "" {
			dieAt(url, at)
			return
		}
		playWorker(url)
		return
	}
	os.Exit(m.Run())
}

// laps is a graph of many short steps, each with a write of its own and a call
// that is counted on the outside.
func laps(call func(ctx context.Context, db *postgres.DB) error, db *postgres.DB) *engine.Graph {
	g := countTo(40)
	count := g.Nodes[0].Run
	g.Nodes[0].Run = func(ctx context.Context, x *engine.Execution) (engine.Outcome, error) {
		_, err := x.Once(ctx, "call", func(ctx context.Context) (any, error) { return 1, call(ctx, db) })
		if err != nil && x.Attempt == 1 {
			return engine.Outcome{}, err
		}
		out, err := count(ctx, x)
		out.Commit = writeNote
		return out, err
	}
	return g
}

var called = postgres.SQL("test.agents_called", `
	INSERT INTO core.idempotency_keys (subject_id, key, procedure, request_hash, expires_at)
	VALUES ('call', gen_random_uuid()::text, 'p', 'h', now() + interval '1 h')`)

var countCalls = postgres.SQL("test.agents_calls", `SELECT count(*) FROM core.idempotency_keys WHERE subject_id = 'call'`)

func callOutside(ctx context.Context, db *postgres.DB) error {
	_, err := db.As(system).Exec(ctx, called, postgres.Args{})
	return err
}

type noTickets struct{}

func (noTickets) Ticket(*postgres.Tx, int, time.Time) {}

func playWorker(url string) {
	ctx := context.Background()
	db, err := postgres.Open(ctx, postgres.Config{URL: url})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	cfg := agents.DefaultConfig()
	cfg.Lease, cfg.RetryAfter, cfg.SweepEvery, cfg.Attempts = 200*time.Millisecond, time.Millisecond, time.Millisecond, 100
	log := slog.New(slog.DiscardHandler)
	e := engine.New(db, events.New(db, events.Config{}, log), cfg, noTickets{}, func(string, string, any) {}, log)
	if err := e.Register(laps(callOutside, db)); err != nil {
		os.Exit(1)
	}
	fmt.Println("working")
	for {
		if did, err := e.Work(ctx); err != nil || !did {
			_ = e.Sweep(ctx)
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// Workers are killed with SIGKILL at any instant, again and again: each step's
// write is there once, no call was made twice, and the run comes to its end.
func TestKilledWorkersNeitherLoseNorRepeatAnything(t *testing.T) {
	b := setup(t, countTo(40))
	id := b.start(ada, "count")
	kills := 0
	for deadline := time.Now().Add(90 * time.Second); b.run(id).Status.Active(); {
		if time.Now().After(deadline) {
			t.Fatalf("after %d kills the run is %s: %v", kills, b.run(id).Status, b.path(id))
		}
		worker := exec.CommandContext(t.Context(), os.Args[0])
		worker.Env = append(os.Environ(), workerURL+"="+b.db.URL())
		out, err := worker.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := worker.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(10+rand.IntN(30)) * time.Millisecond)
		if err := worker.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = worker.Wait()
		kills++
	}
	var calls int
	if err := b.db.As(system).QueryRow(t.Context(), countCalls, postgres.Args{}).Scan(&calls); err != nil {
		t.Fatal(err)
	}
	r := b.run(id)
	if r.Status != agents.StatusDone || string(r.State) != `{"n": 40}` || b.notes() != 40 || len(b.path(id)) != 41 {
		t.Errorf("the run is %s with %s after %d steps, %d writes", r.Status, r.State, len(b.path(id)), b.notes())
	}
	if calls > 40 || calls < 40-kills || kills < 2 {
		t.Errorf("%d calls in 40 steps, with %d kills", calls, kills)
	}
}
