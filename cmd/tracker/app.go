package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/academyfx"
	"github.com/goals-tracker/tracker/modules/agents/agentsfx"
	"github.com/goals-tracker/tracker/modules/analytics/analyticsfx"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/roles"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/core/telemetry"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
	"github.com/goals-tracker/tracker/modules/goals/goalsfx"
	"github.com/goals-tracker/tracker/modules/llm/llmfx"
	"github.com/goals-tracker/tracker/modules/rag/ragfx"
	"github.com/goals-tracker/tracker/modules/realtime/realtimefx"
	"github.com/goals-tracker/tracker/modules/tasks/tasksfx"
	"github.com/goals-tracker/tracker/modules/validation/validationfx"
)

// modules are the product's parts; each brings its services, faces, reactions
// and jobs.
var modules = fx.Options(
	eventsfx.Module,
	eventsfx.ErasureModule,
	academyfx.Module,
	goalsfx.Module,
	tasksfx.Module,
	llmfx.Module,
	ragfx.Module,
	validationfx.Module,
	analyticsfx.Module,
	agentsfx.Module,
	realtimefx.Module,
	erasing,
)

// core is what all modules stand on.
var core = fx.Module("core",
	fx.Provide(postgres.NewListener),
	fx.Provide(bus.New),
	fx.Provide(jobs.NewInserter),
	fx.Provide(jobs.NewRegistry),
	fx.Provide(jobs.NewRunner),
	fx.Provide(telemetry.NewMetrics),
	fx.Provide(rpc.NewCaller),
	fx.Provide(newCache),
	fx.Provide(newLimiter),
	fx.Invoke(func(b *bus.Bus, c *cache.Cache) { b.Over(c) }),
	fx.Provide(newBroker),
	fx.Provide(auth.NewRevocations),
	fx.Provide(newVerifier),
	fx.Provide(newPlugins),
	fx.Provide(newRoles),
	fx.Provide(newDrain),
	fx.Provide(newServer),
	fx.Provide(newSnapshots),
)

// settings hands each module its section.
func settings(cfg Config) fx.Option {
	if cfg.Events.Erasure.Dir == "" {
		cfg.Events.Erasure.Dir = cfg.dataPath("erasure")
	}
	return fx.Supply(cfg, cfg.Academy, cfg.Events, cfg.Jobs, cfg.Validation, cfg.Rag, cfg.LLM, cfg.Agents, cfg.Realtime)
}

// running starts what goes on by itself, in this order, and stops it in reverse.
var running = fx.Options(
	fx.Invoke(background[*postgres.Listener]("notifications", func(ctx context.Context, l *postgres.Listener) error { l.Run(ctx); return nil })),
	fx.Invoke(background[*bus.Bus]("bus", func(ctx context.Context, b *bus.Bus) error { b.Run(ctx); return nil })),
	fx.Invoke(background[*limits.Limiter]("limits", func(ctx context.Context, l *limits.Limiter) error { l.Run(ctx); return nil }, roles.API)),
	fx.Invoke(background[*realtimefx.Hub]("realtime", func(ctx context.Context, h *realtimefx.Hub) error { return h.Run(ctx) }, roles.API)),
	fx.Invoke(background[*pluginWatch]("plugins", func(ctx context.Context, w *pluginWatch) error { w.Run(ctx); return nil }, roles.API, roles.Worker)),
	fx.Invoke(background[*ragfx.Watcher]("material", func(ctx context.Context, w *ragfx.Watcher) error { w.Run(ctx); return nil }, roles.Worker)),
	fx.Invoke(jobs.RegisterTidy),
	fx.Invoke(workJobs),
	fx.Invoke(listen),
)

// graph is the whole server on an open database.
func graph(cfg Config, db *postgres.DB, logger *slog.Logger) fx.Option {
	return fx.Options(
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		fx.Supply(db, logger, personal),
		settings(cfg),
		core,
		modules,
		running,
	)
}

// admitting refuses people whom the academy calls inactive, whatever token they
// hold.
type admitting struct {
	auth.Verifier
	academy academy.Service
}

// Verify implements auth.Verifier.
func (v admitting) Verify(ctx context.Context, token string) (auth.Actor, error) {
	actor, err := v.Verifier.Verify(ctx, token)
	if err != nil {
		return auth.Actor{}, err
	}
	return v.academy.Admit(ctx, actor)
}

// Recheck implements auth.Rechecker.
func (v admitting) Recheck(ctx context.Context, actor auth.Actor) error {
	_, err := v.academy.Admit(ctx, actor)
	return err
}

// newVerifier takes tokens as the settings say, but not those of people who are
// erased or inactive.
func newVerifier(cfg Config, people academy.Service, asked auth.Introspector, revoked *auth.Revocations, logger *slog.Logger) (auth.Verifier, error) {
	from := auth.Sources{AcademyURL: cfg.Academy.URL, Logger: logger.With("part", "auth")}
	if cfg.Academy.URL != "" {
		from.Academy = asked
	}
	verifier, err := auth.New(cfg.Auth, from)
	if err != nil {
		return nil, err
	}
	return auth.Refusing(admitting{auth.Refusing(verifier, revoked), people}, revoked), nil
}

// serverParams is what the server takes beside services and routes.
type serverParams struct {
	fx.In
	Config   Config
	DB       *postgres.DB
	Verifier auth.Verifier
	Caller   *rpc.Caller
	Metrics  *prometheus.Registry
	Logger   *slog.Logger
	Roles    roles.Set
	Drain    *drain
	Runner   *jobs.Runner
	Broker   *broker.Broker
	Cache    *cache.Cache
	Limiter  *limits.Limiter
	Services []rpc.Service `group:"rpc.services"`
	Routes   []rpc.Route   `group:"rpc.routes"`
	// Checks are what modules want to hold before their replica is ready.
	Checks []rpc.Check `group:"rpc.checks"`
}

func newServer(p serverParams) (*rpc.Server, error) {
	cfg := p.Config
	if !p.Roles.Has(roles.API) {
		p.Services, p.Routes = nil, nil
	}
	return rpc.NewServer(rpc.Config{
		AllowedOrigins: cfg.Server.Origins, MaxBody: cfg.Server.MaxBody, Timeout: cfg.Server.Timeout,
		Tracing: cfg.Telemetry.OTLPEndpoint != "", Logger: p.Logger,
	}, rpc.Deps{
		Verifier: p.Verifier, Services: p.Services, Routes: p.Routes, Caller: p.Caller,
		Limits:  limits.NewAPI(p.Limiter, cfg.Limits, dear),
		Checks:  append(readiness(p), p.Checks...),
		Metrics: promhttp.HandlerFor(p.Metrics, promhttp.HandlerOpts{}),
	})
}

// background runs a part from start to stop, on replicas with one of the roles,
// or on all; its failure stops the server.
func background[T any](name string, run func(context.Context, T) error, only ...roles.Role) func(fx.Lifecycle, fx.Shutdowner, *slog.Logger, roles.Set, T) {
	return func(lc fx.Lifecycle, shutdown fx.Shutdowner, logger *slog.Logger, is roles.Set, part T) {
		if len(only) > 0 && !slices.ContainsFunc(only, is.Has) {
			return
		}
		ctx, cancel := context.WithCancel(context.Background())
		var done sync.WaitGroup
		lc.Append(fx.Hook{
			OnStart: func(context.Context) error {
				done.Go(func() {
					if err := run(ctx, part); err != nil && ctx.Err() == nil {
						logger.Error("a part of the server failed, so the server stops", "part", name, "error", err)
						_ = shutdown.Shutdown(fx.ExitCode(1))
					}
				})
				return nil
			},
			OnStop: func(context.Context) error { cancel(); done.Wait(); return nil },
		})
	}
}

// listen opens the port when everything else runs, and closes it first.
func listen(lc fx.Lifecycle, shutdown fx.Shutdowner, cfg Config, server *rpc.Server, screens *realtimefx.Hub, is roles.Set, stopping *drain, logger *slog.Logger) {
	web := server.HTTP(cfg.Server.Address)
	web.RegisterOnShutdown(screens.Stop) // clients go to another replica while requests end here
	base, cancel := context.WithCancel(context.Background())
	web.BaseContext = func(net.Listener) context.Context { return base }
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Server.Address)
			if err != nil {
				return err
			}
			go func() {
				if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
					logger.Error("the server stopped listening", "error", err)
					_ = shutdown.Shutdown(fx.ExitCode(1))
				}
			}()
			logger.Info("serving", "address", "http://"+listener.Addr().String(), "version", version, "roles", is.String())
			return nil
		},
		OnStop: func(ctx context.Context) error {
			stopping.begin(ctx)
			ctx, done := context.WithTimeout(ctx, cfg.Server.Grace)
			defer done()
			go func() {
				select {
				case <-stopping.hurried:
					done()
				case <-ctx.Done():
				}
			}()
			err := web.Shutdown(ctx)
			cancel() // streams that outlived the grace
			if ctx.Err() != nil {
				return web.Close()
			}
			return err
		},
	})
}
