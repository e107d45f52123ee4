package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

type noteArgs struct {
	Text string `json:"text"`
}

func (noteArgs) Kind() string { return "test_note" }

type noteWorker struct {
	river.WorkerDefaults[noteArgs]
	got chan string
}

func (w *noteWorker) Work(_ context.Context, job *river.Job[noteArgs]) error {
	w.got <- job.Args.Text
	return nil
}

func TestAJobRunsIfAndOnlyIfItsUnitOfWorkCommits(t *testing.T) {
	db := postgrestest.DB(t)
	inserter, err := jobs.NewInserter(db)
	if err != nil {
		t.Fatal(err)
	}
	registry := jobs.NewRegistry()
	worker := &noteWorker{got: make(chan string, 10)}
	jobs.Register(registry, worker)
	cfg := jobs.DefaultConfig()
	cfg.PollInterval = 100 * time.Millisecond
	runner, err := jobs.NewRunner(db, registry, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := runner.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	// A learner's request enqueues, although learners may not touch River's tables.
	call := postgres.As(auth.Actor{UserID: "ada", Roles: []auth.Role{auth.Student}})
	undone := errors.New("undone")
	for _, c := range []struct {
		text string
		err  error
	}{{"undone", undone}, {"one", nil}, {"two", nil}} {
		err := db.InTx(t.Context(), call, func(_ context.Context, tx *postgres.Tx) error {
			inserter.Insert(tx, noteArgs{Text: c.text}, nil)
			return c.err
		})
		if !errors.Is(err, c.err) {
			t.Fatalf("%s: %v", c.text, err)
		}
	}
	seen := map[string]int{}
	for len(seen) < 2 {
		select {
		case text := <-worker.got:
			seen[text]++
		case <-time.After(20 * time.Second):
			t.Fatalf("only %v ran", seen)
		}
	}
	if seen["undone"] != 0 || seen["one"] != 1 || seen["two"] != 1 {
		t.Errorf("ran %v", seen)
	}
}
