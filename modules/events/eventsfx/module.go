// Package eventsfx wires the log.
package eventsfx

import (
	"context"
	"log/slog"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/roles"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/rpc"
	"github.com/goals-tracker/tracker/modules/events/internal/webhooks"
)

// Module needs an events.Config, the database, its listener and a logger. It provides
// *events.Log and its RPC face, hears other replicas on the server's listener, and runs the log while the application does.
var Module = fx.Module("events",
	fx.Provide(events.New),
	fx.Provide(fx.Annotate(rpc.Service, fx.ResultTags(`group:"rpc.services"`))),
	fx.Invoke((*events.Log).ListenOn),
	fx.Invoke(run),
	fx.Invoke(publish),
	fx.Provide(newWebhooks, fx.Private),
	fx.Provide(func(s *webhooks.Service) events.Webhooks { return s }),
	fx.Provide(fx.Annotate(rpc.WebhooksService, fx.ResultTags(`group:"rpc.services"`))),
	fx.Invoke(deliver),
)

type runParams struct {
	fx.In
	Log    *events.Log
	Logger *slog.Logger
	Roles  roles.Set `optional:"true"`
}

// run follows the log on every replica, and handles subscriptions on workers.
func run(lifecycle fx.Lifecycle, p runParams) {
	work := p.Log.RunTailer
	if p.Roles.Has(roles.Worker) {
		work = p.Log.Run
	}
	stop, done := make(chan struct{}), make(chan struct{})
	lifecycle.Append(fx.Hook{
		OnStart: func(starting context.Context) error {
			go func() {
				defer close(done)
				ctx, cancel := context.WithCancel(context.WithoutCancel(starting))
				defer cancel()
				go func() { <-stop; cancel() }()
				if err := work(ctx); err != nil {
					p.Logger.Error("run the log", "error", err)
				}
			}()
			return nil
		},
		OnStop: func(ending context.Context) error {
			close(stop)
			select {
			case <-done:
				return nil
			case <-ending.Done():
				return ending.Err()
			}
		},
	})
}
