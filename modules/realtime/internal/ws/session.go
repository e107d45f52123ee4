package ws

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
)

// holdFor is how long live events wait for the client's first message, which
// may be a resume: what it missed comes before them.
const holdFor = 500 * time.Millisecond

// What a client can do wrong.
var (
	errNotJSON = errs.Define(errs.InvalidArgument, "message_invalid",
		"A message is a JSON object with type, payload and correlation_id.",
		"Un mensaje es un objeto JSON con type, payload y correlation_id.")
	errUnknownCommand = errs.Define(errs.InvalidArgument, "command_unknown",
		"There is no command %q.", "No existe el comando %q.")
	errTooFast = errs.Define(errs.ResourceExhausted, "too_many_commands",
		"Too many commands wait for an answer. Wait for the replies.",
		"Hay demasiados comandos sin respuesta. Espera las respuestas.")
	errOtherPerson = errs.Define(errs.PermissionDenied, "other_person",
		"This token is another person's. Open a connection of its own for it.",
		"Este token es de otra persona. Abre para ella otra conexión.")
)

// session is one connection: a reader, a writer and a worker that runs the
// commands one after the other.
type session struct {
	*Handler
	conn     *websocket.Conn
	screen   *hub.Screen
	language string
	commands map[string]string

	mu    sync.Mutex
	actor auth.Actor

	out     chan hub.Frame
	work    chan request
	resumes chan resume
	expiry  chan time.Time
	// first is closed at the client's first message.
	first    chan struct{}
	heard    sync.Once
	lastSent int64 // the writer's own
}

func (s *session) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var parts sync.WaitGroup
	parts.Go(func() {
		code, reason := s.write(ctx)
		_ = s.conn.Close(code, reason)
		cancel()
	})
	parts.Go(func() { s.runCommands(ctx) })
	s.read(ctx)
	cancel()
	parts.Wait()
	_ = s.conn.CloseNow()
}

// read takes messages until the connection ends.
func (s *session) read(ctx context.Context) {
	for {
		kind, data, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		var r request
		if kind != websocket.MessageText || json.Unmarshal(data, &r) != nil || r.Type == "" {
			s.fail(ctx, r.CorrelationID, errNotJSON.New())
		} else {
			s.take(ctx, r)
		}
		s.heard.Do(func() { close(s.first) })
	}
}

func (s *session) take(ctx context.Context, r request) {
	switch r.Type {
	case "ping":
		s.reply(ctx, "pong", r.CorrelationID, r.Payload)
	case "auth":
		s.renew(ctx, r)
	case "resume":
		var want resume
		if err := json.Unmarshal(r.Payload, &want); err != nil || want.After < 0 {
			s.fail(ctx, r.CorrelationID, errNotJSON.New().WithField("after_seq", "must be a whole number of at least 0"))
			return
		}
		want.correlationID = r.CorrelationID
		select {
		case s.resumes <- want:
		case <-ctx.Done():
		}
	default:
		if _, known := s.commands[r.Type]; !known {
			s.fail(ctx, r.CorrelationID, errUnknownCommand.New(r.Type))
			return
		}
		select {
		case s.work <- r:
		default:
			s.fail(ctx, r.CorrelationID, errTooFast.New().After(time.Second))
		}
	}
}

// renew takes a new token before the old one ends.
func (s *session) renew(ctx context.Context, r request) {
	var in struct {
		Token string `json:"token"`
	}
	_ = json.Unmarshal(r.Payload, &in)
	actor, err := s.verifier.Verify(ctx, in.Token)
	if err == nil && actor.UserID != s.who().UserID {
		err = errOtherPerson.New()
	}
	if err != nil {
		s.fail(ctx, r.CorrelationID, err)
		return
	}
	s.mu.Lock()
	s.actor = actor
	s.mu.Unlock()
	select {
	case s.expiry <- actor.ExpiresAt:
	case <-ctx.Done():
	}
	s.reply(ctx, "auth.ok", r.CorrelationID, mustJSON(map[string]any{"expires_at": actor.ExpiresAt.UTC()}))
}

func (s *session) who() auth.Actor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.actor
}

// runCommands runs commands in the order in which they came.
func (s *session) runCommands(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-s.work:
			s.run(ctx, r)
		}
	}
}

func (s *session) run(ctx context.Context, r request) {
	header := http.Header{}
	// A client that repeats a command after a broken connection repeats its
	// correlation id; only a UUID is sure not to be another command's.
	if _, err := uuid.Parse(r.CorrelationID); err == nil {
		header.Set(rpc.KeyHeader, r.CorrelationID)
	}
	if s.language != "" {
		header.Set("Accept-Language", s.language)
	}
	payload := r.Payload
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	answer, err := s.caller.Invoke(auth.WithActor(ctx, s.who()), s.commands[r.Type], payload, header)
	if err != nil {
		s.fail(ctx, r.CorrelationID, err)
		return
	}
	s.reply(ctx, r.Type+".ok", r.CorrelationID, answer)
}

func (s *session) reply(ctx context.Context, kind, correlationID string, payload json.RawMessage) {
	if len(payload) == 0 {
		payload = json.RawMessage("{}")
	}
	select {
	case s.out <- hub.Frame{Type: kind, Payload: payload, CorrelationID: correlationID, Timestamp: time.Now().UTC()}:
	case <-ctx.Done():
	}
}

func (s *session) fail(ctx context.Context, correlationID string, err error) {
	if ctx.Err() != nil {
		return
	}
	payload := map[string]any{"code": errs.Internal, "message": "Something went wrong on our side. Try again."}
	var e *errs.Error
	if errors.As(err, &e) {
		payload = map[string]any{"code": e.Kind.Code, "reason": e.Kind.Reason, "message": e.Text(rpc.Language(s.language)), "fields": e.Fields}
		if e.Fields == nil {
			payload["fields"] = []errs.Field{}
		}
		for key, value := range e.Details {
			if _, taken := payload[key]; !taken {
				payload[key] = value
			}
		}
	} else {
		s.logger.Error("a command failed", "error", err)
	}
	s.reply(ctx, "error", correlationID, mustJSON(payload))
}

func mustJSON(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return data
}
