// Package agentsfx wires the agents.
package agentsfx

import (
	"encoding/json"
	"log/slog"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/companion"
	"github.com/goals-tracker/tracker/modules/agents/internal/dispute"
	"github.com/goals-tracker/tracker/modules/agents/internal/engine"
	"github.com/goals-tracker/tracker/modules/agents/internal/journey"
	"github.com/goals-tracker/tracker/modules/agents/internal/planner"
	"github.com/goals-tracker/tracker/modules/agents/internal/react"
	"github.com/goals-tracker/tracker/modules/agents/internal/reviewer"
	"github.com/goals-tracker/tracker/modules/agents/internal/rpc"
	"github.com/goals-tracker/tracker/modules/agents/internal/service"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/agents/internal/tutor"
	"github.com/goals-tracker/tracker/modules/agents/internal/work"
	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
)

// Module provides agents.Service and its RPC face, reacts to events and runs
// graphs in jobs.
var Module = fx.Module("agents",
	fx.Provide(work.NewTickets, fx.Private),
	fx.Provide(NewLadder, fx.Private),
	fx.Provide(NewEngine, fx.Private),
	fx.Provide(service.New, fx.Private),
	fx.Provide(func(s *service.Service) (agents.Service, agents.Talker, agents.Disputes) { return s, s, s }),
	fx.Provide(fx.Annotate(rpc.DisputeService, fx.ResultTags(`group:"rpc.services"`))),
	fx.Provide(fx.Annotate(rpc.TutorService, fx.ResultTags(`group:"rpc.services"`))),
	fx.Provide(fx.Annotate(rpc.Service, fx.ResultTags(`group:"rpc.services"`))),
	fx.Provide(func(db *postgres.DB, log *events.Log, activity analytics.Service, logger *slog.Logger) *companion.Companion {
		return companion.New(db, log, activity, logger)
	}, fx.Private),
	fx.Provide(func(c *companion.Companion) agents.Companion { return c }),
	fx.Provide(fx.Annotate(rpc.CompanionService, fx.ResultTags(`group:"rpc.services"`))),
	fx.Invoke(func(log *events.Log) { log.Subscribe(journey.Subscription()) }),
	fx.Invoke(work.RegisterCompanion),
	fx.Invoke(work.Register),
	fx.Invoke(react.Register),
)

// NewLadder makes what gives hints.
func NewLadder(db *postgres.DB, log *events.Log, cfg agents.Config, material rag.Service, t tasks.Service, v validation.Service, models llm.Service) *tutor.Ladder {
	return tutor.NewLadder(log, material, v, t, store.NewRungs(db), models, cfg)
}

// NewEngine makes the engine with the graphs.
func NewEngine(db *postgres.DB, log *events.Log, cfg agents.Config, tickets *work.Tickets, pushes *bus.Bus, logger *slog.Logger,
	material rag.Service, t tasks.Service, v validation.Service, prover validation.Prover, models llm.Service, ladder *tutor.Ladder,
	activity analytics.Service, g goals.Service) (*engine.Engine, error) {
	push := func(userID, kind string, payload any) {
		if raw, err := json.Marshal(payload); err == nil {
			pushes.Publish(bus.Message{UserID: userID, Type: kind, Payload: raw})
		}
	}
	e := engine.New(db, log, cfg, tickets, push, logger)
	plans := planner.New(db, material, t, prover, models, cfg)
	graphs := append(plans.Graphs(),
		dispute.New(db, log, material, v, t, plans, activity, models, cfg).Graph(),
		tutor.NewTalk(log, material, v, t, store.NewTalks(db), models, cfg).Graph(), ladder.Graph())
	graphs = append(graphs, reviewer.New(log, material, v, t, g, store.NewEarlier(db), models, cfg).Graphs()...)
	for _, g := range graphs {
		if err := e.Register(g); err != nil {
			return nil, err
		}
	}
	return e, nil
}
