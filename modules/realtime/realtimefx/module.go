// Package realtimefx wires the pushes.
package realtimefx

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
	realtimerpc "github.com/goals-tracker/tracker/modules/realtime/internal/rpc"
	"github.com/goals-tracker/tracker/modules/realtime/internal/ws"
)

// Hub is what Run makes follow the log; the server's wiring runs it beside the
// log's own tailer.
type Hub = hub.Hub

// Module provides the hub, the Watch stream and the WebSocket at both of its
// addresses.
var Module = fx.Module("realtime",
	fx.Provide(hub.New),
	fx.Provide(fx.Annotate(realtimerpc.Service, fx.ResultTags(`group:"rpc.services"`))),
	fx.Provide(fx.Annotate(routes, fx.ResultTags(`group:"rpc.routes,flatten"`))),
)

func routes(h *hub.Hub, verifier auth.Verifier, caller *rpc.Caller, cfg realtime.Config, logger *slog.Logger) []rpc.Route {
	handler := ws.New(h, verifier, caller, cfg, logger)
	return []rpc.Route{
		{Pattern: "GET /ws", Handler: handler, QueryToken: true, Unbounded: true},
		{Pattern: "GET /api/v1/ws", Handler: handler, QueryToken: true, Unbounded: true},
	}
}
