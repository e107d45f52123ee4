package eventsfx

import (
	"context"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/core/roles"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/cloudevent"
	"github.com/goals-tracker/tracker/modules/events/internal/outbox"
)

// format is how events look outside.
func format(cfg events.PublishConfig, personal privacy.Registry) cloudevent.Format {
	f := cloudevent.Format{Source: cfg.Source}
	if !cfg.Personal {
		f.Keep = map[string][]string{}
		for _, e := range personal.Events {
			f.Keep[e.Type] = e.Plain
		}
	}
	return f
}

type publishParams struct {
	fx.In
	DB       *postgres.DB
	Log      *events.Log
	Config   events.Config
	Broker   *broker.Broker       `optional:"true"`
	Personal privacy.Registry     `optional:"true"`
	Roles    roles.Set            `optional:"true"`
	Metrics  *prometheus.Registry `optional:"true"`
	Logger   *slog.Logger
}

// publish sends events to RabbitMQ, where there is one, on replicas that are for
// it.
func publish(lifecycle fx.Lifecycle, p publishParams) error {
	if p.Broker == nil || !p.Broker.Configured() {
		return nil
	}
	// On any replica: the first that is told of RabbitMQ says what "now" is, before
	// it takes part in anything.
	lifecycle.Append(fx.Hook{OnStart: func(ctx context.Context) error {
		return p.Log.StartPublishing(ctx, p.Config.Publish.Start)
	}})
	if !p.Roles.Has(roles.Publisher) {
		return nil
	}
	out, err := outbox.New(p.DB, p.Log, p.Broker, p.Config.Publish, format(p.Config.Publish, p.Personal), p.Logger)
	if err != nil {
		return err
	}
	if p.Metrics != nil {
		p.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tracker_events_published_position", Help: "Up to where in the log RabbitMQ has confirmed, as this replica knows; 0 while another one publishes.",
		}, func() float64 { return float64(out.Position()) }), prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tracker_events_unroutable_total", Help: "Events that no queue in RabbitMQ was bound for.",
		}, func() float64 { return float64(p.Broker.Health().Unroutable) }))
	}
	ctx, stop := context.WithCancel(context.Background()) //nolint:forbidigo // ends with the application
	var running sync.WaitGroup
	lifecycle.Append(fx.Hook{
		OnStart: func(context.Context) error {
			running.Go(func() {
				if err := out.Run(ctx); err != nil {
					p.Logger.Error("publish events", "error", err)
				}
			})
			return nil
		},
		OnStop: func(context.Context) error { stop(); running.Wait(); return nil },
	})
	return nil
}
