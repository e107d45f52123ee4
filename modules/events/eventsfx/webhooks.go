package eventsfx

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/keyfile"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/webhooks"
	"github.com/goals-tracker/tracker/modules/events/internal/work"
)

type webhooksParams struct {
	fx.In
	DB       *postgres.DB
	Log      *events.Log
	Config   events.Config
	Jobs     *jobs.Inserter
	Personal privacy.Registry     `optional:"true"`
	Metrics  *prometheus.Registry `optional:"true"`
	Logger   *slog.Logger
}

func newWebhooks(p webhooksParams) (*webhooks.Service, error) {
	key, err := keyfile.Load("events.webhooks.key_file", p.Config.Webhooks.KeyFile)
	if err != nil {
		return nil, err
	}
	s, err := webhooks.New(p.DB, p.Log, p.Config.Webhooks, key, format(p.Config.Publish, p.Personal), work.Ticket(p.Jobs), p.Logger)
	if err != nil {
		return nil, err
	}
	if p.Metrics != nil {
		p.Metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "tracker_webhooks_disabled_total", Help: "Webhooks that were disabled because nothing arrived, they are gone or don't keep up.",
		}, func() float64 { return float64(s.Disabled()) }))
	}
	return s, nil
}

type deliverParams struct {
	fx.In
	Log      *events.Log
	Service  *webhooks.Service `optional:"true"` // tools that only read have no jobs
	Registry *jobs.Registry    `optional:"true"`
}

// deliver lets workers send events to webhooks.
func deliver(p deliverParams) {
	if p.Service == nil || p.Registry == nil {
		return
	}
	p.Log.Subscribe(p.Service.Subscription())
	work.Register(p.Registry, p.Service)
}
