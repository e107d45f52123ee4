package ws

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/rpc"
)

// mostCommands is how many commands of a client may wait.
const mostCommands = 64

// command queues a command; one after the other they run in the order in which
// they came.
func (s *session) command(r request) {
	if _, known := s.Handler.commands()[r.Type]; !known {
		s.fail(r.CorrelationID, errUnknownCommand.New(r.Type))
		return
	}
	size := int64(len(r.Payload))
	s.mu.Lock()
	switch {
	case s.closing != nil || s.over.Load():
		s.mu.Unlock()
		return // it is sent again on the next connection
	case len(s.commands) >= mostCommands, len(s.commands) > 0 && s.pending+size > s.cfg.MaxMessage:
		s.mu.Unlock()
		s.fail(r.CorrelationID, errTooFast.New().After(time.Second))
		return
	}
	s.commands, s.pending = append(s.commands, r), s.pending+size
	begin := !s.working
	s.working = true
	s.mu.Unlock()
	if begin {
		go s.work()
	}
}

// work runs commands until none waits.
func (s *session) work() {
	ctx, cancel := context.WithCancel(rpc.WithRequestID(background(), s.request))
	defer cancel()
	for {
		s.mu.Lock()
		if len(s.commands) == 0 || s.over.Load() {
			s.working, s.stop, s.commands, s.pending = false, nil, nil, 0
			if s.idle != nil {
				close(s.idle)
				s.idle = nil
			}
			s.mu.Unlock()
			return
		}
		r := s.commands[0]
		s.commands, s.pending = s.commands[1:], s.pending-int64(len(r.Payload))
		s.stop = cancel
		s.mu.Unlock()
		s.run(ctx, r)
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
	answer, err := s.caller.Invoke(auth.WithActor(ctx, s.who()), s.Handler.commands()[r.Type], payload, header)
	if err != nil {
		s.fail(r.CorrelationID, err) //nolint:contextcheck // a reply is not the command's
		return
	}
	s.reply(r.Type+".ok", r.CorrelationID, json.RawMessage(answer)) //nolint:contextcheck // nor is this one
}

// finished is closed when no command runs; those that wait are given up, and
// the client sends them again elsewhere.
func (s *session) finished() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands, s.pending = nil, 0
	done := make(chan struct{})
	if !s.working {
		close(done)
		return done
	}
	s.idle = done
	return done
}

func (s *session) fail(correlationID string, err error) {
	if s.over.Load() {
		return
	}
	payload := map[string]any{"code": errs.Internal, "message": "Something went wrong on our side. Try again.", "fields": []errs.Field{}}
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
		s.logger.Error("a command failed", "request_id", s.request, "error", err)
	}
	s.reply("error", correlationID, payload)
}
