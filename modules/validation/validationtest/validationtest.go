// Package validationtest gives tests the real validation module on the test's
// database: submissions, the fair queue, the Python validator and the sandbox.
// Programs that use it call sandbox.Init first thing in TestMain.
package validationtest

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/keyfile"
	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/modules/validation/internal/prove"
	"github.com/goals-tracker/tracker/modules/validation/internal/react"
	"github.com/goals-tracker/tracker/modules/validation/internal/rpc"
	"github.com/goals-tracker/tracker/modules/validation/internal/service"
	"github.com/goals-tracker/tracker/modules/validation/internal/work"
	"github.com/goals-tracker/tracker/sandbox"
)

// Options of a Kit.
type Options struct {
	// Host runs the plugins. Required; see Python.
	Host *pluginhost.Host
	// Config defaults to validation.DefaultConfig().
	Config validation.Config
	// Judge takes the place of plugins and sandbox; nil is the real ones.
	Judge work.Judge
	// Pool keeps sandboxes waiting, as the server does; with New only.
	Pool bool
	// NoSandbox is why this machine can't judge; nil when it can.
	NoSandbox error
	// Metrics may be nil.
	Metrics work.Metrics
	// Logger defaults to none.
	Logger *slog.Logger
}

// Kit is the module as validationfx wires it.
type Kit struct {
	Service validation.Service
	Prover  validation.Prover
	Worker  *work.Worker
	// Catalog says which languages can be judged.
	Catalog *judge.Catalog
	DB      *postgres.DB

	lister work.Lister
	pool   *sandbox.Pool

	mu     sync.Mutex
	pushes []bus.Message
}

// New wires the module. Call it once per log, before the log is used.
func New(t testing.TB, db *postgres.DB, log *events.Log, tasks tasks.Service, o Options) *Kit {
	t.Helper()
	k, err := Wire(db, log, tasks, o)
	if err != nil {
		t.Fatal(err)
	}
	if k.pool != nil {
		t.Cleanup(func() { _ = k.pool.Close() })
	}
	k.Catalog.Load(t.Context())
	return k
}

// Wire is New for programs that are no test.
func Wire(db *postgres.DB, log *events.Log, tasks tasks.Service, o Options) (*Kit, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	inserter, err := jobs.NewInserter(db)
	if err != nil {
		return nil, err
	}
	room := work.Room{Err: o.NoSandbox}
	if o.NoSandbox == nil && o.Judge == nil {
		if room = work.OpenRoom(o.Config, o.Logger); room.Err != nil {
			return nil, room.Err
		}
	}
	if o.Pool {
		room = room.WithPool(o.Config, o.Logger)
	}
	engine := room.Engine(o.Host, o.Config)
	k := &Kit{DB: db, Catalog: judge.NewCatalog(o.Host, engine), pool: room.Pool}
	k.Prover = prove.New(engine, k.Catalog, o.Host, o.Config)
	tickets := work.NewTickets(inserter)
	s := service.New(db, log, tasks, k.Catalog, tickets, o.Config, o.NoSandbox)
	k.Service, k.lister = s, s
	if o.Judge == nil {
		o.Judge = engine
	}
	key, err := keyfile.Load("validation.key_file", o.Config.KeyFile)
	if err != nil {
		return nil, err
	}
	k.Worker = work.New(work.Deps{
		DB: db, Log: log, Tasks: tasks, Judge: o.Judge, Tickets: tickets, Pusher: k, Key: key, Logger: o.Logger,
		Metrics: o.Metrics,
	}, o.Config)
	log.Fold(service.Fold{})
	react.Register(log)
	return k, nil
}

// RPC is the module's Connect service.
func (k *Kit) RPC() corerpc.Service { return rpc.Service(k.DB, k.Service) }

// Register lets the jobs' runner judge.
func (k *Kit) Register(registry *jobs.Registry) { work.Register(registry, k.Worker, k.lister) }

// List queues the runs of a re-judging, as its job would.
func (k *Kit) List(ctx context.Context, rejudgingID string) error {
	return k.lister.List(ctx, rejudgingID)
}

// Publish implements work.Pusher.
func (k *Kit) Publish(m bus.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pushes = append(k.pushes, m)
}

// Pushes are the payloads of a type that a user got.
func (k *Kit) Pushes(userID, kind string) (all []map[string]any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.pushes {
		var payload map[string]any
		if m.UserID == userID && m.Type == kind && json.Unmarshal(m.Payload, &payload) == nil {
			all = append(all, payload)
		}
	}
	return all
}

// Submit submits as the actor: pairs of path and content.
func (k *Kit) Submit(t testing.TB, actor auth.Actor, taskID string, files ...string) validation.Snapshot {
	t.Helper()
	s, err := k.TrySubmit(t.Context(), actor, Files(taskID, files...))
	if err != nil {
		t.Fatalf("submit to task %s: %v", taskID, err)
	}
	return s
}

// TrySubmit submits as the actor.
func (k *Kit) TrySubmit(ctx context.Context, actor auth.Actor, sub validation.Submission) (s validation.Snapshot, err error) {
	err = k.DB.InTx(ctx, postgres.As(actor), func(ctx context.Context, tx *postgres.Tx) (err error) {
		s, err = k.Service.SubmitTx(ctx, tx, sub)
		return err
	})
	return s, err
}

// Files is a submission of pairs of path and content.
func Files(taskID string, pairs ...string) validation.Submission {
	sub := validation.Submission{TaskID: taskID}
	for i := 0; i+1 < len(pairs); i += 2 {
		sub.Files = append(sub.Files, validation.File{Path: pairs[i], Content: pairs[i+1]})
	}
	return sub
}

// Drain judges until nothing waits, and says how many runs it took.
func (k *Kit) Drain(t testing.TB) (taken int) {
	t.Helper()
	for {
		more, err := k.Worker.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return taken
		}
		taken++
	}
}

// Run reads a run as the system.
func (k *Kit) Run(t testing.TB, id string) validation.Run {
	t.Helper()
	r, err := k.Service.Run(t.Context(), auth.System("test"), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
