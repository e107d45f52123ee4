package eventsfx

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/jobs"
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
	Personal privacy.Registry `optional:"true"`
	Logger   *slog.Logger
}

func newWebhooks(p webhooksParams) (*webhooks.Service, error) {
	return webhooks.New(p.DB, p.Log, p.Config.Webhooks, format(p.Config.Publish, p.Personal), work.Ticket(p.Jobs), p.Logger)
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
