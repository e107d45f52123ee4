package engine_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
)

var (
	ada    = auth.Actor{UserID: "ada", Roles: []auth.Role{auth.Student}}
	bob    = auth.Actor{UserID: "bob", Roles: []auth.Role{auth.Student}}
	system = auth.System("test")
)

// bundle is an engine whose executions the test asks for one by one.
type bundle struct {
	*testing.T
	db     *postgres.DB
	log    *events.Log
	engine *engine.Engine
	cfg    agents.Config

	mu      sync.Mutex
	tickets int
	pushed  []string
}

// Ticket implements engine.Tickets.
func (b *bundle) Ticket(tx *postgres.Tx, n int, _ time.Time) {
	tx.AfterCommit(func() { b.mu.Lock(); b.tickets += n; b.mu.Unlock() })
}

func setup(t *testing.T, graphs ...*engine.Graph) *bundle {
	t.Helper()
	b := &bundle{T: t, cfg: agents.DefaultConfig()}
	b.db, b.log = eventstest.New(t)
	b.cfg.Lease, b.cfg.RetryAfter, b.cfg.SweepEvery = time.Second, time.Millisecond, time.Millisecond
	b.engine = b.replica(graphs...)
	return b
}

// replica is another engine on the same database.
func (b *bundle) replica(graphs ...*engine.Graph) *engine.Engine {
	b.Helper()
	push := func(user, kind string, payload any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		p := payload.(map[string]any)
		if kind == agents.PushToken {
			b.pushed = append(b.pushed, user+" "+kind+" "+p["node"].(string)+" "+p["text"].(string))
			return
		}
		b.pushed = append(b.pushed, user+" "+kind+" "+p["node"].(string)+" "+p["state"].(string))
	}
	e := engine.New(b.db, b.log, b.cfg, b, push, slog.New(slog.DiscardHandler))
	for _, g := range graphs {
		if err := e.Register(g); err != nil {
			b.Fatal(err)
		}
	}
	return e
}

func (b *bundle) in(actor auth.Actor, fn func(ctx context.Context, tx *postgres.Tx) error) {
	b.Helper()
	if err := b.db.InTx(b.Context(), postgres.As(actor), fn); err != nil {
		b.Fatal(err)
	}
}

// start begins a run of a learner.
func (b *bundle) start(actor auth.Actor, graph string) string {
	b.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	b.in(actor, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := b.engine.Start(ctx, tx, agents.Run{ID: id, Graph: graph, UserID: actor.UserID}, map[string]any{"n": 0})
		return err
	})
	return id
}

// work executes what is due until nothing is.
func (b *bundle) work() {
	b.Helper()
	for range 200 {
		did, err := b.engine.Work(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if !did {
			return
		}
	}
	b.Fatal("there is always more to do")
}

func (b *bundle) run(id string) *store.Row {
	b.Helper()
	var row *store.Row
	b.in(system, func(ctx context.Context, tx *postgres.Tx) (err error) {
		row, err = store.Lock(ctx, tx, system, id)
		return err
	})
	if row == nil {
		b.Fatalf("run %s is gone", id)
	}
	return row
}

// path is what was executed, "node:outcome" in order.
func (b *bundle) path(id string) (path []string) {
	b.Helper()
	steps, err := store.Steps(b.Context(), b.db.As(system), system, id)
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range steps {
		path = append(path, s.Node+":"+s.Outcome)
	}
	return path
}

// resume answers a run that waits.
func (b *bundle) resume(actor auth.Actor, id string, answer any) {
	b.Helper()
	b.in(actor, func(ctx context.Context, tx *postgres.Tx) error {
		row, err := store.Lock(ctx, tx, actor, id)
		if err != nil {
			return err
		}
		return b.engine.Resume(ctx, tx, row, answer)
	})
}

func word(outcome string, set map[string]any) func(context.Context, *engine.Execution) (engine.Outcome, error) {
	return func(context.Context, *engine.Execution) (engine.Outcome, error) {
		return engine.Outcome{Word: outcome, Set: set}, nil
	}
}
