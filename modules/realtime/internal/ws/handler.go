// Package ws speaks the WebSocket protocol of the design: commands and their
// replies, events with seq, transient pushes without. A connection that is
// silent costs one goroutine, which reads; all others come and go with work.
package ws

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/realtime"
	"github.com/goals-tracker/tracker/modules/realtime/internal/frame"
	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
)

// Subprotocol is offered to clients that name one.
const Subprotocol = "goals.v1"

// What keeps a connection from being made, beside its token and its origin.
var (
	errPosition = errs.Define(errs.InvalidArgument, "after_seq_invalid",
		"after_seq must be a whole number of at least 0: the seq of the last event you handled.",
		"after_seq debe ser un número entero a partir de 0: el seq del último evento que procesaste.")
	errStopping = errs.Define(errs.Unavailable, "server_stopping",
		"This server is stopping. Connect again in a second.",
		"Este servidor se está deteniendo. Vuelve a conectarte en un segundo.")
	errNotFollowing = errs.Define(errs.Unavailable, "pushes_interrupted",
		"This server can't follow what happens right now. Connect again in a second.",
		"Este servidor no puede seguir ahora lo que ocurre. Vuelve a conectarte en un segundo.")
)

// Close codes beyond RFC 6455's.
const (
	// CloseExpired: the token ended, and no auth frame came before.
	CloseExpired websocket.StatusCode = 4401
	// CloseErased: the person is being erased.
	CloseErased websocket.StatusCode = 4403
)

// Caller runs procedures through the server's own mux, as *rpc.Caller does.
type Caller interface {
	// Invoke calls a procedure for the actor of ctx, in wire JSON.
	Invoke(ctx context.Context, procedure string, request []byte, header http.Header) ([]byte, error)
	// Commands are the names of commands, each with its procedure.
	Commands() map[string]string
}

// Handler upgrades requests and looks after their sessions while Run runs.
type Handler struct {
	hub      *hub.Hub
	verifier auth.Verifier
	caller   Caller
	cfg      realtime.Config
	limiter  *limits.Limiter
	logger   *slog.Logger
	commands func() map[string]string
	closed   func(websocket.StatusCode)

	mu   sync.Mutex
	open map[*session]struct{}
	// fewer is broadcast when a session has ended.
	fewer *sync.Cond
}

// New makes the handler. closed hears of each connection that the server ends,
// with its code; nil for nobody.
func New(h *hub.Hub, verifier auth.Verifier, caller Caller, cfg realtime.Config, limiter *limits.Limiter, logger *slog.Logger, closed func(websocket.StatusCode)) *Handler {
	if closed == nil {
		closed = func(websocket.StatusCode) {}
	}
	handler := &Handler{
		hub: h, verifier: verifier, caller: caller, cfg: cfg, limiter: limiter, logger: logger, closed: closed,
		commands: sync.OnceValue(caller.Commands), open: map[*session]struct{}{},
	}
	handler.fewer = sync.NewCond(&handler.mu)
	return handler
}

// ServeHTTP makes a WebSocket of the request and returns; with it goes what
// net/http keeps for a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := &session{
		Handler: h, actor: rpc.Actor(r.Context()), language: strings.Clone(r.Header.Get("Accept-Language")),
		request: rpc.RequestID(r.Context()), began: time.Now(), gone: make(chan struct{}),
	}
	first, err := resumeOf(r)
	if err == nil {
		s.screen, err = h.hub.Join(r.Context(), s.actor, s.kick)
	}
	switch {
	case errors.Is(err, hub.ErrShutdown):
		err = errStopping.New().After(time.Second)
	case errors.Is(err, hub.ErrGap):
		err = errNotFollowing.New().After(time.Second)
	}
	if err != nil {
		rpc.WriteProblem(w, r, err)
		return
	}
	thin := &slim{ResponseWriter: w, timeout: h.cfg.WriteTimeout}
	s.conn, err = websocket.Accept(thin, r, &websocket.AcceptOptions{
		// The server has looked at the origin, by the rule that holds for every request.
		InsecureSkipVerify: true,
		Subprotocols:       []string{Subprotocol, auth.BearerProtocol},
		OnPingReceived:     s.onPing,
		OnPongReceived:     func(context.Context, []byte) { s.heard() },
	})
	if err != nil {
		s.screen.Leave() // Accept has answered
		return
	}
	s.line = thin.line
	s.conn.SetReadLimit(h.cfg.MaxMessage)
	h.begin(s, first) //nolint:contextcheck // it outlives the request
}

// background is the context of what sessions do: they outlive their requests,
// and end with their connections.
func background() context.Context { return context.Background() } //nolint:forbidigo // see above

// begin greets the client and starts reading.
func (h *Handler) begin(s *session, first *resume) {
	s.lastSent = s.screen.Joined()
	s.heard()
	h.mu.Lock()
	h.open[s] = struct{}{}
	h.mu.Unlock()
	s.put(frame.New("hello", "", map[string]any{
		"seq": s.screen.Joined(), "epoch": s.screen.Epoch(), "user_id": s.actor.UserID,
		"expires_at": s.actor.ExpiresAt.UTC(), "heartbeat_ms": h.cfg.Heartbeat.Milliseconds(),
	}).Bytes())
	if first != nil {
		s.rewind(*first)
	} else {
		s.hold()
	}
	go s.read()
}

// resumeOf reads the position that a client may give in the address.
func resumeOf(r *http.Request) (*resume, error) {
	query := r.URL.Query()
	if !query.Has("after_seq") {
		return nil, nil //nolint:nilnil // most clients give none
	}
	after, err := strconv.ParseInt(query.Get("after_seq"), 10, 64)
	if err != nil || after < 0 {
		return nil, errPosition.New()
	}
	return &resume{After: after, Epoch: strings.Clone(query.Get("epoch"))}, nil
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
