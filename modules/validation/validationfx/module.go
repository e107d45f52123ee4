// Package validationfx wires the validation module.
package validationfx

import (
	"context"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/keyfile"
	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/roles"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/modules/validation/internal/prove"
	"github.com/goals-tracker/tracker/modules/validation/internal/react"
	"github.com/goals-tracker/tracker/modules/validation/internal/rpc"
	"github.com/goals-tracker/tracker/modules/validation/internal/service"
	"github.com/goals-tracker/tracker/modules/validation/internal/work"
)

// Module provides validation.Service and its Connect service, and works the
// queue where there is a sandbox. It needs validation.Config, the core's parts,
// *events.Log and tasks.Service.
var Module = fx.Module("validation",
	fx.Provide(newRoom, fx.Private),
	fx.Provide(newEngine, fx.Private),
	fx.Provide(judge.NewCatalog, fx.Private),
	fx.Provide(work.NewTickets, fx.Private),
	fx.Provide(newService, fx.Private),
	fx.Provide(func(s *service.Service) validation.Service { return s }),
	fx.Provide(func(e *judge.Engine, c *judge.Catalog, host *pluginhost.Host, cfg validation.Config) validation.Prover {
		return prove.New(e, c, host, cfg)
	}),
	fx.Provide(fx.Annotate(rpc.Service, fx.ResultTags(`group:"rpc.services"`))),
	fx.Provide(fx.Annotate(judged, fx.ResultTags(`group:"rpc.checks"`))),
	fx.Invoke(func(log *events.Log) { log.Fold(service.Fold{}); react.Register(log) }),
	fx.Invoke(startWorker),
)

// room is the sandbox, or why there is none.
type room = work.Room

type roomParams struct {
	fx.In
	Config validation.Config
	Logger *slog.Logger
	Roles  roles.Set `optional:"true"`
}

// newRoom's pool outlives the worker, which is stopped first. A replica that is
// no worker needs no sandbox: others judge.
func newRoom(lc fx.Lifecycle, p roomParams) room {
	if !p.Roles.Has(roles.Worker) {
		return room{}
	}
	r := work.OpenRoom(p.Config, p.Logger).WithPool(p.Config, p.Logger)
	if r.Pool != nil {
		lc.Append(fx.StopHook(r.Pool.Close))
	}
	return r
}

func newEngine(host *pluginhost.Host, r room, cfg validation.Config) *judge.Engine {
	return r.Engine(host, cfg)
}

func newService(db *postgres.DB, log *events.Log, t tasks.Service, c *judge.Catalog, tickets *work.Tickets, cfg validation.Config, r room) *service.Service {
	return service.New(db, log, t, c, tickets, cfg, r.Err)
}

// workerParams is what a worker takes.
type workerParams struct {
	fx.In
	DB       *postgres.DB
	Log      *events.Log
	Tasks    tasks.Service
	Engine   *judge.Engine
	Catalog  *judge.Catalog
	Tickets  *work.Tickets
	Bus      *bus.Bus
	Registry *jobs.Registry
	Metrics  *prometheus.Registry `optional:"true"`
	Service  *service.Service
	Room     room
	Config   validation.Config
	Roles    roles.Set `optional:"true"`
	Logger   *slog.Logger
}

func startWorker(lc fx.Lifecycle, p workerParams) error {
	if !p.Roles.Has(roles.Worker) {
		if p.Roles.Has(roles.API) {
			learnLanguages(lc, p.Catalog)
		}
		return nil
	}
	if p.Room.Runner == nil {
		return nil // submissions wait for a server that can judge them
	}
	key, err := keyfile.Load("validation.key_file", p.Config.KeyFile)
	if err != nil {
		return err
	}
	var heard work.Metrics
	if p.Metrics != nil {
		heard = newMetrics(p.Metrics)
	}
	w := work.New(work.Deps{
		DB: p.DB, Log: p.Log, Tasks: p.Tasks, Judge: p.Engine, Tickets: p.Tickets, Pusher: p.Bus, Key: key, Metrics: heard,
		Logger: p.Logger.With("part", "validation"),
	}, p.Config)
	work.Register(p.Registry, w, p.Service)
	var running sync.WaitGroup
	var stop context.CancelFunc
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			ctx, stop = context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // it outlives the start, and OnStop calls stop
			running.Go(func() { _ = w.Run(ctx) })
			running.Go(func() { p.Catalog.Look(ctx) })
			return nil
		},
		OnStop: func(context.Context) error { stop(); running.Wait(); return nil },
	})
	return nil
}

// learnLanguages asks the plugins what they judge, for those who submit here.
func learnLanguages(lc fx.Lifecycle, catalog *judge.Catalog) {
	var looking sync.WaitGroup
	var stop context.CancelFunc
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			ctx, stop = context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // it outlives the start, and OnStop calls stop
			looking.Go(func() { catalog.Load(ctx) })
			return nil
		},
		OnStop: func(context.Context) error { stop(); looking.Wait(); return nil },
	})
}
