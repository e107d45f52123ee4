package rpc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

// Service is a module's Connect service.
type Service struct {
	// New makes the handler: it calls the generated constructor with opts.
	New func(opts ...connect.HandlerOption) (string, http.Handler)
}

// Route is a plain HTTP handler that a module mounts beside the services: the
// WebSocket, MCP, the web app.
type Route struct {
	// Pattern is http.ServeMux's: "GET /ws", "/app/".
	Pattern string
	Handler http.Handler
	// Public routes are served without sign-in; auth.FromContext finds nobody.
	Public bool
	// QueryToken also takes the token from ?token=, for clients that can't set
	// headers. It is removed from the URL before the handler sees it.
	QueryToken bool
	// CheckOrigin refuses browsers of origins that CORS does not allow: for
	// WebSockets, to which CORS does not apply.
	CheckOrigin bool
	// Unbounded routes read more than the server's body limit: a WebSocket, an
	// upload that is streamed.
	Unbounded bool
}

// Actor is who calls. The middleware has seen to it that there is somebody; a
// handler that is called without it acts for nobody, who may do nothing.
func Actor(ctx context.Context) auth.Actor {
	actor, _ := auth.FromContext(ctx)
	return actor
}

type requestIDKey struct{}

// RequestID is the id of the HTTP request: in the X-Request-Id header, in every
// log line, in the events' meta. "" outside a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// WithRequestID puts a request id into the context; only the middleware and
// callers in process do so.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// requireActor is the guard behind the guard: no handler runs for nobody.
func requireActor(ctx context.Context) error {
	if actor, ok := auth.FromContext(ctx); !ok || actor.UserID == "" && !actor.IsSystem() {
		return errs.NotSignedIn.New(errs.Say("no token was sent", "no se ha enviado ningún token"))
	}
	return nil
}
