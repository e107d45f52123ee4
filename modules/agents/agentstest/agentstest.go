// Package agentstest gives tests the real agents on the test's database, whose
// nodes they run when they want.
package agentstest

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/dispute"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/planner"
	"github.com/goals-tracker/tracker/modules/agents/internal/react"
	"github.com/goals-tracker/tracker/modules/agents/internal/reviewer"
	"github.com/goals-tracker/tracker/modules/agents/internal/rpc"
	"github.com/goals-tracker/tracker/modules/agents/internal/service"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/agents/internal/tutor"
	"github.com/goals-tracker/tracker/modules/agents/internal/work"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Parts are the modules that agents rest on. Models may be nil. Without a Prover
// the tests of tasks are taken to be proven: see Trusting.
type Parts struct {
	DB         *postgres.DB
	Log        *events.Log
	Goals      goals.Service
	Tasks      tasks.Service
	Validation validation.Service
	Prover     validation.Prover
	Rag        rag.Service
	Models     llm.Service
	Config     agents.Config
}

// Kit is the module as agentsfx wires it.
type Kit struct {
	agents.Service
	agents.Talker
	agents.Disputes
	db      *postgres.DB
	cfg     agents.Config
	engine  *engine.Engine
	service *service.Service

	mu     sync.Mutex
	pushes []bus.Message
}

// New wires the module. Call it once per log, before the log is used.
func New(t testing.TB, p Parts) *Kit {
	t.Helper()
	inserter, err := jobs.NewInserter(p.DB)
	if err != nil {
		t.Fatal(err)
	}
	if p.Config == (agents.Config{}) {
		p.Config = agents.DefaultConfig()
	}
	k := &Kit{db: p.DB, cfg: p.Config}
	k.engine = engine.New(p.DB, p.Log, p.Config, work.NewTickets(inserter), k.push, slog.New(slog.DiscardHandler))
	if p.Prover == nil {
		p.Prover = Trusting{}
	}
	ladder := tutor.NewLadder(p.Log, p.Rag, p.Validation, p.Tasks, store.NewRungs(p.DB), p.Models, p.Config)
	plans := planner.New(p.DB, p.Rag, p.Tasks, p.Prover, p.Models, p.Config)
	graphs := append(plans.Graphs(),
		dispute.New(p.DB, p.Log, p.Rag, p.Validation, p.Tasks, plans, nil, p.Models, p.Config).Graph(),
		tutor.NewTalk(p.Log, p.Rag, p.Validation, p.Tasks, store.NewTalks(p.DB), p.Models, p.Config).Graph(), ladder.Graph())
	graphs = append(graphs, reviewer.New(p.Log, p.Rag, p.Validation, p.Tasks, p.Goals, store.NewEarlier(p.DB), p.Models, p.Config).Graphs()...)
	for _, g := range graphs {
		if err := k.engine.Register(g); err != nil {
			t.Fatal(err)
		}
	}
	s := service.New(p.DB, p.Log, k.engine, p.Goals, p.Tasks, p.Validation, p.Rag, ladder, p.Config)
	react.Register(p.Log, s)
	k.Service, k.Talker, k.Disputes, k.service = s, s, s, s
	return k
}

// Trusting takes every exercise to be proven, without running anything: for
// tests that are about other things, since a real proof takes seconds.
type Trusting struct{}

// Judged implements validation.Prover.
func (Trusting) Judged(context.Context, string) (string, error) { return "trusting", nil }

// Prove implements validation.Prover.
func (Trusting) Prove(context.Context, validation.Candidate) (validation.Proof, error) {
	return validation.Proof{
		Plugin: "trusting", PluginVersion: "0.0.0", Solution: judging.VerdictPassed, Starter: judging.VerdictFailed, Mutants: 20, Killed: 20,
		Operators: []validation.MutationOperator{{Name: "swap-comparison", Made: 20, Killed: 20}},
	}, nil
}

// RPC is the module's Connect service.
func (k *Kit) RPC() corerpc.Service { return rpc.Service(k.db, k.Service, k.Disputes) }

// Register lets the jobs' runner work.
func (k *Kit) Register(registry *jobs.Registry) { work.Register(registry, k.engine, k.cfg) }

// Drain executes nodes until none is due, and says how many it took.
func (k *Kit) Drain(t testing.TB) (taken int) {
	t.Helper()
	for {
		did, err := k.engine.Work(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !did {
			return taken
		}
		taken++
	}
}

// Work executes nodes in the background, as jobs do, until stop is called.
func (k *Kit) Work(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var working sync.WaitGroup
	working.Go(func() {
		look := time.NewTicker(20 * time.Millisecond)
		defer look.Stop()
		for ctx.Err() == nil {
			if did, err := k.engine.Work(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			} else if !did {
				select {
				case <-look.C:
				case <-ctx.Done():
				}
			}
		}
	})
	return func() { cancel(); working.Wait() }
}

// Impatient lets nobody wait for a model's hint.
func (k *Kit) Impatient() { k.service.WaitForHints(time.Nanosecond) }

// Sweep does what is done every ten seconds.
func (k *Kit) Sweep(t testing.TB) {
	t.Helper()
	if err := k.engine.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (k *Kit) push(userID, kind string, payload any) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pushes = append(k.pushes, bus.Message{UserID: userID, Type: kind, Payload: raw})
}

// TakePushes are what was pushed to a learner's screens since the last time.
func (k *Kit) TakePushes(userID string) (list []bus.Message) {
	list = k.Pushes(userID)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pushes = slices.DeleteFunc(k.pushes, func(m bus.Message) bool { return m.UserID == userID })
	return list
}

// Pushes are what was pushed to a learner's screens.
func (k *Kit) Pushes(userID string) (list []bus.Message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.pushes {
		if m.UserID == userID {
			list = append(list, m)
		}
	}
	return list
}
