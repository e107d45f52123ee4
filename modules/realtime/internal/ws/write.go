package ws

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/realtime/internal/frame"
	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
)

// turn is what the writer does next: one of these.
type turn struct {
	replies net.Buffers
	resume  *resume
	pushes  []hub.Push
	// ended is why the screen was ended.
	ended   error
	closing *ending
}

// drain is the connection's only writer of messages; it lives as long as there
// are any.
func (s *session) drain() {
	for {
		t, more := s.next()
		if !more {
			return
		}
		var err error
		switch {
		case t.closing != nil:
			s.closed(t.closing.code)
			_ = s.conn.Close(t.closing.code, t.closing.reason)
			s.end()
		case t.ended != nil:
			s.bow(t.ended)
		case t.resume != nil:
			err = s.replay(*t.resume)
		case len(t.replies) > 0:
			err = s.line.send(t.replies)
		default:
			err = s.push(t.pushes)
		}
		if err != nil {
			s.end()
		}
	}
}

// next waits for nothing; more is false when there is nothing to do, and the
// writer's life ends with it.
func (s *session) next() (t turn, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over.Load():
	case len(s.replies) > 0:
		t.replies, s.replies = s.replies, nil
		s.letRead()
		return t, true
	case s.closing != nil:
		t.closing = s.closing
		return t, true
	case s.resume != nil:
		t.resume, s.resume = s.resume, nil
		return t, true
	default:
		t.pushes, t.ended = s.screen.Take(s.held != nil)
		if len(t.pushes) > 0 || t.ended != nil {
			return t, true
		}
	}
	s.writing = false
	return t, false
}

// bow takes leave as befits why the screen was ended.
func (s *session) bow(why error) {
	switch {
	case errors.Is(why, hub.ErrErased):
		s.mu.Lock()
		s.replies = nil // nothing more of a person who is being erased
		s.mu.Unlock()
		s.closeWith(ending{CloseErased, "this account is being erased"})
	case errors.Is(why, hub.ErrShutdown):
		select {
		case <-s.finished(): // the command that runs is answered
		case <-time.After(lastWords):
		}
		s.closeWith(ending{websocket.StatusServiceRestart, again(500, 3000)})
	case errors.Is(why, context.Canceled):
		s.end()
	default:
		s.closeWith(*slow())
	}
}

// slow ends a connection whose client comes back and resumes.
func slow() *ending { return &ending{websocket.StatusTryAgainLater, again(200, 1000)} }

// again says when to come back, to each client another time, so that they don't
// come all at once.
func again(least, most int) string {
	return fmt.Sprintf("retry_after_ms=%d", least+rand.IntN(most-least)) //nolint:gosec // spreads clients, guards nothing
}

// push sends pushes; of events those that were not sent before.
func (s *session) push(pushes []hub.Push) error {
	frames := make(net.Buffers, 0, len(pushes))
	for _, p := range pushes {
		if p.Event != nil {
			if p.Event.Position <= s.lastSent {
				continue
			}
			s.lastSent, s.live = p.Event.Position, true
		}
		frames = append(frames, p.Bytes())
	}
	return s.line.send(frames)
}

// replay sends what came after the client's last seq, up to what it was sent on
// this connection; live events wait in the queue meanwhile. When events went
// out live that are newer than what is missing, the order is lost: reset.
func (s *session) replay(want resume) error {
	ctx, cancel := context.WithTimeout(background(), time.Minute)
	defer cancel()
	known := want.Epoch == "" || want.Epoch == s.screen.Epoch()
	if known && want.After > s.lastSent && s.screen.Reached(ctx, want.After) {
		s.lastSent = want.After // what the queue has up to there, another replica sent
	}
	upTo := s.lastSent
	if !known || want.After > upTo || s.live && want.After < s.screen.Joined() {
		return s.reset(want)
	}
	sent, ok, err := s.screen.Missed(ctx, want.After, upTo, func(missed []*hub.Event) error {
		frames := make(net.Buffers, len(missed))
		for i, e := range missed {
			frames[i] = e.Bytes()
		}
		return s.line.send(frames)
	})
	switch {
	case err != nil:
		s.logger.Debug("missed events could not be sent", "request_id", s.request, "error", err)
		s.closeWith(*slow())
		return nil
	case !ok:
		return s.reset(want)
	}
	return s.line.send(net.Buffers{frame.New("resume.ok", want.correlationID, map[string]any{"events": sent, "seq": upTo}).Bytes()})
}

// reset tells the client to read everything anew.
func (s *session) reset(want resume) error {
	return s.line.send(net.Buffers{frame.New("reset", want.correlationID,
		map[string]any{"seq": s.lastSent, "epoch": s.screen.Epoch()}).Bytes()})
}
