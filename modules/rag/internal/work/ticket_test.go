package work

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/rag"
)

// turns is a filler that answers as it is told to, then that all is done.
type turns struct {
	mu      sync.Mutex
	answers []answer
	taken   int
	ended   chan struct{}
}

type answer struct {
	done bool
	err  error
}

func (f *turns) Turn(context.Context) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken++; f.taken <= len(f.answers) {
		return f.answers[f.taken-1].done, f.answers[f.taken-1].err
	}
	f.ended <- struct{}{}
	return true, nil
}

// Work is the ticker's: it does nothing here.
func (f *turns) Work(context.Context) error { return nil }

func TestNewPassagesAreEmbeddedByATicketUntilItIsDone(t *testing.T) {
	db := postgrestest.DB(t)
	inserter, err := jobs.NewInserter(db)
	if err != nil {
		t.Fatal(err)
	}
	tickets := NewTickets(inserter)
	issue := func(fail error) {
		err := db.InTx(t.Context(), postgres.As(auth.Actor{UserID: "ada", Roles: []auth.Role{auth.Student}}), func(_ context.Context, tx *postgres.Tx) error {
			tickets.Issue(tx)
			tickets.Issue(tx)
			return fail
		})
		if !errors.Is(err, fail) {
			t.Fatal(err)
		}
	}
	undone := errors.New("undone")
	issue(undone)
	issue(nil)
	issue(nil)
	issue(nil)
	count := func() (n int) {
		err := db.SystemPool().QueryRow(t.Context(), "SELECT count(*) FROM river.river_job WHERE kind = 'rag_embed_new' AND state NOT IN ('completed', 'discarded', 'cancelled')").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count(); n != 3 {
		t.Fatalf("three units of work that committed made %d tickets", n)
	}

	// The model fails, then another worker is at it, then all is done: one
	// ticket goes on till then, and stands for those that waited beside it.
	filler := &turns{answers: []answer{{false, errors.New("the provider is dead")}, {false, nil}}, ended: make(chan struct{}, 10)}
	registry := jobs.NewRegistry()
	cfg := rag.DefaultConfig()
	cfg.EmbedEvery = time.Hour
	Register(registry, filler, cfg, slog.New(slog.DiscardHandler))
	runner, err := jobs.NewRunner(db, registry, jobs.DefaultConfig(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := runner.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := runner.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	wait := func() {
		t.Helper()
		select {
		case <-filler.ended:
		case <-time.After(time.Minute):
			t.Fatal("the ticket was not tried again")
		}
	}
	wait()
	for deadline := time.Now().Add(time.Minute); count() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d tickets are left", count())
		}
	}
	filler.mu.Lock()
	taken := filler.taken
	filler.mu.Unlock()
	if taken != 3 {
		t.Errorf("three tickets at once, one failure and one delay took %d turns, not 3", taken)
	}
	issue(nil)
	wait()
}
