// Package academyfx wires the academy's client and the inbox of its events.
package academyfx

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/client"
	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
	academyrpc "github.com/goals-tracker/tracker/modules/academy/internal/rpc"
	"github.com/goals-tracker/tracker/modules/academy/internal/store"
	"github.com/goals-tracker/tracker/modules/academy/internal/work"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/jobs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/roles"
	"github.com/goals-tracker/tracker/modules/core/rpc"
)

// Module needs an academy.Config and provides academy.Service, its RPC face and
// auth.Introspector, and takes the academy's events in. What other modules do
// on those they give as academy.Reaction to the group "academy.reactions".
var Module = fx.Module("academy",
	fx.Provide(newService, fx.Private),
	fx.Provide(newInbox, fx.Private),
	fx.Provide(func(s *client.Service) (academy.Service, auth.Introspector) { return s, s }),
	fx.Provide(fx.Annotate(academyrpc.Service, fx.ResultTags(`group:"rpc.services"`))),
	fx.Provide(fx.Annotate(func(b *inbox.Inbox, cfg academy.Config) rpc.Route { return academyrpc.Events(b, cfg.Key) },
		fx.ResultTags(`group:"rpc.routes"`))),
	fx.Invoke(work.Register, consume),
)

// channel is where replicas tell each other about whom something has changed.
const channel = "tracker_academy"

// tellWithin bounds how long telling the other replicas may take.
const tellWithin = 2 * time.Second

type serviceParams struct {
	fx.In
	Config      academy.Config
	DB          *postgres.DB
	Listener    *postgres.Listener
	Cache       *cache.Cache
	Revocations *auth.Revocations
	Logger      *slog.Logger
}

func newService(lc fx.Lifecycle, p serviceParams) (*client.Service, error) {
	system := p.DB.As(auth.System("academy"))
	logger := p.Logger.With("part", "academy")
	replica := uuid.NewString()
	service, err := client.NewService(p.Config, client.Deps{
		System: system, Deleted: store.CourseDeleted,
		Cache:       p.Cache,
		Revocations: p.Revocations,
		Logger:      logger,
		Tell: func(ctx context.Context, userID string) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellWithin)
			defer cancel()
			if err := p.DB.Notify(ctx, channel, replica+" "+userID); err != nil {
				logger.Warn("the other replicas were not told what has changed about somebody; they learn of it within a minute", "error", err)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	p.Listener.On(channel, func(payload string) {
		if from, userID, told := strings.Cut(payload, " "); told && from != replica {
			p.Revocations.Tell(userID)
		}
	})
	lc.Append(fx.StartStopHook(service.Check, service.Close))
	return service, nil
}

type inboxParams struct {
	fx.In
	DB          *postgres.DB
	Service     *client.Service
	Revocations *auth.Revocations
	Jobs        *jobs.Inserter
	Reactions   []academy.Reaction   `group:"academy.reactions"`
	Metrics     *prometheus.Registry `optional:"true"`
	Logger      *slog.Logger
}

func newInbox(p inboxParams) (*inbox.Inbox, error) {
	deps := inbox.Deps{
		DB: p.DB, Memory: p.Service, Revoked: p.Revocations.Revoked, Reactions: p.Reactions,
		Enqueue: work.Enqueue(p.Jobs), Logger: p.Logger.With("part", "academy"),
	}
	if p.Metrics != nil {
		deps.Metrics = newMetrics(p.Metrics)
	}
	return inbox.New(deps)
}

type consumeParams struct {
	fx.In
	Config academy.Config
	Inbox  *inbox.Inbox
	Broker *broker.Broker `optional:"true"`
	Roles  roles.Set      `optional:"true"`
	Logger *slog.Logger
}

// consume takes messages from RabbitMQ, where there is one, from start to stop, on
// workers.
func consume(lc fx.Lifecycle, p consumeParams) {
	if p.Broker == nil || !p.Broker.Configured() || !p.Roles.Has(roles.Worker) {
		return
	}
	var stop context.CancelFunc
	var running sync.WaitGroup
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			ctx, stop = context.WithCancel(context.WithoutCancel(ctx)) //nolint:gosec // it outlives the start, and OnStop calls stop
			running.Go(func() {
				if err := p.Broker.Consume(ctx, work.Consumer(p.Inbox, p.Config.Queue)); err != nil {
					p.Logger.Error("the academy's events are not taken in", "error", err)
				}
			})
			return nil
		},
		OnStop: func(context.Context) error { stop(); running.Wait(); return nil },
	})
}
