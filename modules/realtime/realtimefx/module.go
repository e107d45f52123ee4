// Package realtimefx wires the pushes.
package realtimefx

import (
	"context"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
	realtimerpc "github.com/goals-tracker/tracker/modules/realtime/internal/rpc"
	"github.com/goals-tracker/tracker/modules/realtime/internal/ws"
)

// Module provides the hub, the Watch stream and the WebSocket at both of its
// addresses.
var Module = fx.Module("realtime",
	fx.Provide(hub.New, fx.Private),
	fx.Provide(fx.Annotate(newPlaces, fx.ParamTags(``, `optional:"true"`)), fx.Private),
	fx.Provide(fx.Annotate(newSockets, fx.ParamTags(``, ``, ``, ``, `optional:"true"`, ``, `optional:"true"`)), fx.Private),
	fx.Provide(newHub),
	fx.Invoke(fx.Annotate(heed, fx.ParamTags(``, `optional:"true"`))),
	fx.Provide(fx.Annotate(realtimerpc.Service, fx.ResultTags(`group:"rpc.services"`))),
	fx.Provide(fx.Annotate(routes, fx.ResultTags(`group:"rpc.routes,flatten"`))),
)

// Hub is this replica's pushes.
type Hub struct {
	hub     *hub.Hub
	sockets *ws.Handler
	places  *limits.Places
}

func newHub(h *hub.Hub, sockets *ws.Handler, places *limits.Places) *Hub {
	return &Hub{hub: h, sockets: sockets, places: places}
}

// Run follows the log and looks after open screens until ctx ends; then it ends
// them and waits until they are gone.
func (h *Hub) Run(ctx context.Context) error {
	// Places are given back as screens end.
	ended, end := context.WithCancel(context.WithoutCancel(ctx))
	var places, sockets sync.WaitGroup
	places.Go(func() { h.places.Run(ended) })
	defer places.Wait()
	defer end()
	sockets.Go(func() { h.sockets.Run(ctx) })
	defer sockets.Wait()
	return h.hub.Run(ctx)
}

// Stop ends all screens and lets nobody in any more: clients go to another
// replica. It does not wait.
func (h *Hub) Stop() { h.hub.Stop() }

// Erased ends a person's screens at once, on every replica.
func (h *Hub) Erased(userID string) { h.hub.Erased(userID) }

// RefuseWhen has people refused, and their open screens ended within a second,
// for whom fn holds: a look into memory, such as auth.Revocations.Revoked.
func (h *Hub) RefuseWhen(fn func(userID string) bool) { h.hub.RefuseWhen(fn) }

// heed ends the screens of people whose tokens hold no longer.
func heed(h *Hub, revocations *auth.Revocations) {
	if revocations == nil {
		return
	}
	h.RefuseWhen(revocations.Revoked)
	revocations.Hear(func(userID string) {
		if revocations.Revoked(userID) {
			h.Erased(userID)
		}
	})
}

func newSockets(h *hub.Hub, verifier auth.Verifier, caller *rpc.Caller, cfg realtime.Config, limiter *limits.Limiter, logger *slog.Logger, registry *prometheus.Registry) *ws.Handler {
	return ws.New(h, verifier, caller, cfg, orAlone(limiter), logger, measure(h, registry))
}

// newPlaces are people's connections, of all replicas where they share a limiter.
func newPlaces(cfg realtime.Config, limiter *limits.Limiter) *limits.Places {
	return orAlone(limiter).Places("connections", cfg.MaxConnections)
}

func orAlone(limiter *limits.Limiter) *limits.Limiter {
	if limiter == nil {
		return limits.New(limits.Sharing{})
	}
	return limiter
}

func routes(sockets *ws.Handler) []rpc.Route {
	return []rpc.Route{
		{Pattern: "GET /ws", Handler: sockets, QueryToken: true, CheckOrigin: true, Unbounded: true},
		{Pattern: "GET /api/v1/ws", Handler: sockets, QueryToken: true, CheckOrigin: true, Unbounded: true},
	}
}
