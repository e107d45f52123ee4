// Package analyticsfx wires the projections.
package analyticsfx

import (
	"net/http"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/analytics"
	"github.com/goals-tracker/tracker/modules/analytics/internal/react"
	analyticsrpc "github.com/goals-tracker/tracker/modules/analytics/internal/rpc"
	"github.com/goals-tracker/tracker/modules/analytics/internal/service"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/analytics/v1/analyticsv1connect"
)

// Module provides analytics.Service and its RPC face, and follows the log.
var Module = fx.Module("analytics",
	fx.Provide(func(db *postgres.DB) analytics.Service { return service.New(db, time.Now) }),
	fx.Provide(fx.Annotate(func(s analytics.Service) rpc.Service {
		return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return analyticsv1connect.NewAnalyticsServiceHandler(analyticsrpc.New(s), opts...)
		}}
	}, fx.ResultTags(`group:"rpc.services"`))),
	fx.Invoke(func(log *events.Log) { log.Subscribe(react.Subscription()) }),
)
