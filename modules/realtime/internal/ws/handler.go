// Package ws speaks the WebSocket protocol of the design: commands and their
// replies, events with seq, transient pushes without.
package ws

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
)

// Subprotocol is offered to clients that name one.
const Subprotocol = "goals.v1"

// Close codes beyond RFC 6455's.
const (
	// CloseExpired: the token ended, and no auth frame came before.
	CloseExpired websocket.StatusCode = 4401
)

// Caller runs procedures through the server's own mux, as *rpc.Caller does.
type Caller interface {
	// Invoke calls a procedure for the actor of ctx, in wire JSON.
	Invoke(ctx context.Context, procedure string, request []byte, header http.Header) ([]byte, error)
	// Commands are the names of commands, each with its procedure.
	Commands() map[string]string
}

// Handler upgrades requests and serves their sessions.
type Handler struct {
	hub      *hub.Hub
	verifier auth.Verifier
	caller   Caller
	cfg      realtime.Config
	logger   *slog.Logger
}

// New makes the handler.
func New(h *hub.Hub, verifier auth.Verifier, caller Caller, cfg realtime.Config, logger *slog.Logger) *Handler {
	return &Handler{hub: h, verifier: verifier, caller: caller, cfg: cfg, logger: logger}
}

// ServeHTTP serves one WebSocket until either side ends it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	actor := rpc.Actor(r.Context())
	screen, err := h.hub.Join(r.Context(), actor)
	switch {
	case errors.Is(err, hub.ErrShutdown):
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the server is stopping, try again", http.StatusServiceUnavailable)
		return
	case err != nil:
		http.Error(w, err.Error(), errs.CodeOf(err).HTTPStatus())
		return
	}
	defer screen.Leave()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		OriginPatterns: h.cfg.Origins,
		Subprotocols:   []string{Subprotocol},
	})
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(h.cfg.MaxMessage)
	s := &session{
		Handler: h, conn: conn, commands: h.caller.Commands(), screen: screen, actor: actor, language: r.Header.Get("Accept-Language"),
		out: make(chan hub.Frame, 64), work: make(chan request, 64), resumes: make(chan resume, 1),
		first: make(chan struct{}), lastSent: screen.Joined(), expiry: make(chan time.Time, 1),
	}
	s.serve(r.Context())
}

// request is a message from the client.
type request struct {
	Type          string          `json:"type"`
	Payload       json.RawMessage `json:"payload"`
	CorrelationID string          `json:"correlation_id"`
	// Timestamp is the client's; it is not trusted and not used.
	Timestamp json.RawMessage `json:"timestamp"`
}

type resume struct {
	After         int64  `json:"after_seq"`
	Epoch         string `json:"epoch"`
	correlationID string
}
