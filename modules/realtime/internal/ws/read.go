package ws

import (
	"context"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/realtime/internal/frame"
)

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

// mostName is how long a type or correlation id may be, in bytes.
const mostName = 200

// read takes messages until the connection ends. No context: whoever ends the
// connection closes it.
func (s *session) read() {
	defer func() {
		s.end()
		_ = s.conn.CloseNow() // gives back what the library holds
	}()
	for {
		kind, data, err := s.conn.Read(background())
		if err != nil {
			if errors.Is(err, websocket.ErrMessageTooBig) {
				s.line.linger()
			}
			return
		}
		s.heard()
		s.slowDown()
		s.room()
		switch {
		case s.leaving():
			continue // until the client's close frame
		case kind == websocket.MessageText && !utf8.Valid(data):
			s.closeWith(ending{websocket.StatusInvalidFramePayloadData, "a text message must be UTF-8"})
			continue
		}
		var r request
		if kind != websocket.MessageText || json.Unmarshal(data, &r) != nil || r.Type == "" || len(r.Type) > mostName || len(r.CorrelationID) > mostName {
			s.fail(shorten(r.CorrelationID), errNotJSON.New())
		} else {
			s.take(r)
		}
		s.release()
	}
}

// messages is the limit's name in metrics.
const messages = "messages"

// slowDown waits while the person is faster than they may be on all their
// connections together: what they send waits on their own side.
func (s *session) slowDown() {
	s.limiter.Wait(background(), s.gone, messages, s.who().UserID, limits.Bound{Rate: s.cfg.Rate, Burst: s.cfg.Burst})
}

// onPing lets pings be answered, at the pace of messages.
func (s *session) onPing(context.Context, []byte) bool {
	s.heard()
	s.slowDown() //nolint:contextcheck // see background
	return true
}

func (s *session) take(r request) {
	switch r.Type {
	case "ping":
		s.reply("pong", r.CorrelationID, r.Payload)
	case "auth":
		s.renew(r)
	case "resume":
		var want resume
		if err := json.Unmarshal(r.Payload, &want); err != nil || want.After < 0 {
			s.fail(r.CorrelationID, errNotJSON.New().WithField("after_seq", "must be a whole number of at least 0"))
			return
		}
		want.correlationID = r.CorrelationID
		s.rewind(want)
	default:
		s.command(r)
	}
}

// renew takes a new token before the old one ends.
func (s *session) renew(r request) {
	var in struct {
		Token string `json:"token"`
	}
	_ = json.Unmarshal(r.Payload, &in)
	ctx, cancel := context.WithTimeout(background(), s.cfg.WriteTimeout)
	defer cancel()
	actor, err := s.verifier.Verify(ctx, in.Token)
	if err == nil && actor.UserID != s.who().UserID {
		err = errOtherPerson.New()
	}
	if err != nil {
		s.fail(r.CorrelationID, err)
		return
	}
	s.mu.Lock()
	s.actor, s.warned = actor, false
	s.mu.Unlock()
	s.reply("auth.ok", r.CorrelationID, map[string]any{"expires_at": actor.ExpiresAt.UTC()})
}

func (s *session) reply(kind, correlationID string, payload any) {
	s.put(frame.New(kind, correlationID, payload).Bytes())
}

func shorten(id string) string {
	if len(id) <= mostName {
		return id
	}
	return ""
}
