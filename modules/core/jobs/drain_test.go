package jobs_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest/pgbouncer"
)

type slowArgs struct {
	N int `json:"n"`
}

func (slowArgs) Kind() string { return "test_slow" }

// slowWorker's jobs end when they are let go.
type slowWorker struct {
	river.WorkerDefaults[slowArgs]
	began, finish chan int
}

func (w *slowWorker) Work(ctx context.Context, job *river.Job[slowArgs]) error {
	w.began <- job.Args.N
	select {
	case <-w.finish:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func newRunner(t *testing.T, db *postgres.DB) (*jobs.Runner, *slowWorker) {
	t.Helper()
	registry := jobs.NewRegistry()
	worker := &slowWorker{began: make(chan int, 10), finish: make(chan int)}
	jobs.Register(registry, worker)
	cfg := jobs.DefaultConfig()
	cfg.PollInterval, cfg.Grace = 50*time.Millisecond, 20*time.Second
	runner, err := jobs.NewRunner(db, registry, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return runner, worker
}

func enqueue(t *testing.T, db *postgres.DB, n int) {
	t.Helper()
	inserter, err := jobs.NewInserter(db)
	if err != nil {
		t.Fatal(err)
	}
	err = db.InTx(t.Context(), postgres.As(auth.System("test")), func(_ context.Context, tx *postgres.Tx) error {
		inserter.Insert(tx, slowArgs{n}, nil)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func began(t *testing.T, w *slowWorker, n int) {
	t.Helper()
	select {
	case got := <-w.began:
		if got != n {
			t.Fatalf("job %d began, want %d", got, n)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("job %d did not begin", n)
	}
}

func TestADrainedReplicaEndsWhatRunsAndLeavesTheRestToOthers(t *testing.T) {
	db := postgrestest.DB(t)
	stopping, first := newRunner(t, db)
	if stopping.Check(t.Context()) == nil {
		t.Error("it is ready before it starts")
	}
	if err := stopping.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := stopping.Check(t.Context()); err != nil {
		t.Errorf("it is not ready: %v", err)
	}
	enqueue(t, db, 1)
	began(t, first, 1)
	stopping.Drain(t.Context())
	if stopping.Check(t.Context()) == nil {
		t.Error("it is ready while it drains")
	}
	enqueue(t, db, 2)

	other, second := newRunner(t, db)
	if err := other.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	began(t, second, 2)
	second.finish <- 2
	select {
	case n := <-first.began:
		t.Errorf("the drained replica took job %d", n)
	default:
	}
	first.finish <- 1
	for _, r := range []*jobs.Runner{stopping, other} {
		if err := r.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var left int
	if err := db.Pool().QueryRow(t.Context(), "SELECT count(*) FROM river.river_job WHERE kind = 'test_slow' AND state <> 'completed'").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d jobs are not done, %v", left, err)
	}
}

func TestAHurriedStopCutsOffWhatRunsAndOthersDoIt(t *testing.T) {
	db := postgrestest.DB(t)
	stopping, first := newRunner(t, db)
	if err := stopping.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	enqueue(t, db, 1)
	began(t, first, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second) // the grace is longer
	defer cancel()
	stopping.Drain(ctx)
	stopping.Hurry()
	stopping.Hurry()
	if err := stopping.Stop(ctx); err != nil {
		t.Error(err)
	}
	var state string
	if err := db.Pool().QueryRow(t.Context(), "SELECT state::text FROM river.river_job WHERE kind = 'test_slow'").Scan(&state); err != nil || state != "available" && state != "retryable" {
		t.Errorf("the job is %s, %v; want it to be taken again", state, err)
	}
}

func TestJobsRunBehindAPoolerInTransactionMode(t *testing.T) {
	db, err := postgres.Open(t.Context(), postgres.Config{URL: pgbouncer.Start(t, postgrestest.URL(t), 2), Pooler: postgres.TransactionPooler})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	runner, worker := newRunner(t, db)
	if err := runner.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		enqueue(t, db, n)
		began(t, worker, n)
		worker.finish <- n
	}
	if err := runner.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
