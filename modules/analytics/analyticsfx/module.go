// Package analyticsfx wires the projections.
package analyticsfx

import (
	"time"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/analytics/internal/react"
	analyticsrpc "github.com/goals-tracker/tracker/modules/analytics/internal/rpc"
	"github.com/goals-tracker/tracker/modules/analytics/internal/service"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
)

// Module provides analytics.Service and its RPC face, and follows the log.
var Module = fx.Module("analytics",
	fx.Provide(func(db *postgres.DB) analytics.Service { return service.New(db, time.Now) }),
	fx.Provide(fx.Annotate(analyticsrpc.Service, fx.ResultTags(`group:"rpc.services"`))),
	fx.Invoke(func(log *events.Log) { log.Subscribe(react.Subscription()) }),
)
