package ws

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/realtime/internal/hub"
)

// write is the connection's only writer; it says how the connection ends.
func (s *session) write(ctx context.Context) (websocket.StatusCode, string) {
	hello := mustJSON(map[string]any{"seq": s.screen.Joined(), "epoch": s.screen.Epoch(), "user_id": s.who().UserID})
	if err := s.frame(ctx, hub.Frame{Type: "hello", Payload: hello, Timestamp: time.Now().UTC()}); err != nil {
		return websocket.StatusGoingAway, ""
	}
	expires := time.NewTimer(untilExpiry(s.who().ExpiresAt))
	defer expires.Stop()
	idle := time.NewTicker(s.cfg.Heartbeat)
	defer idle.Stop()

	pushes, first := (<-chan hub.Push)(nil), s.first
	hold := time.NewTimer(holdFor)
	defer hold.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return websocket.StatusGoingAway, ""
		case <-hold.C:
			pushes, first = s.screen.Pushes(), nil
		case <-first:
			// The first message was a resume, or there will be none.
			pushes, first = s.screen.Pushes(), nil
			select {
			case want := <-s.resumes:
				err = s.resume(ctx, want)
			default:
			}
		case want := <-s.resumes:
			err = s.resume(ctx, want)
		case f := <-s.out:
			err = s.frame(ctx, f)
		case p, open := <-pushes:
			if !open {
				return ended(s.screen.Why())
			}
			err = s.push(ctx, p)
		case at := <-s.expiry:
			expires.Reset(untilExpiry(at))
		case <-expires.C:
			return CloseExpired, "the token has expired; sign in again"
		case <-idle.C:
			err = s.ping(ctx)
		}
		if err != nil {
			return websocket.StatusGoingAway, ""
		}
	}
}

func ended(why error) (websocket.StatusCode, string) {
	switch {
	case errors.Is(why, hub.ErrSlow):
		return websocket.StatusTryAgainLater, "resume after the last seq you saw"
	case errors.Is(why, hub.ErrShutdown):
		return websocket.StatusServiceRestart, "the server restarts; connect again in a second"
	default:
		return websocket.StatusNormalClosure, ""
	}
}

func untilExpiry(at time.Time) time.Duration {
	if at.IsZero() {
		return 24 * time.Hour
	}
	return max(time.Until(at), 0)
}

func (s *session) push(ctx context.Context, p hub.Push) error {
	if p.Event != nil {
		return s.event(ctx, p.Event)
	}
	return s.frame(ctx, hub.Frame{Type: p.Transient.Type, Payload: p.Transient.Payload, Timestamp: time.Now().UTC()})
}

// event sends an event that was not sent before.
func (s *session) event(ctx context.Context, e *hub.Encoded) error {
	if e.Position <= s.lastSent {
		return nil
	}
	if err := s.send(ctx, e.Frame); err != nil {
		return err
	}
	s.lastSent = e.Position
	return nil
}

// resume sends what came after the client's last seq, up to what it was sent
// on this connection; live events wait in the queue meanwhile.
func (s *session) resume(ctx context.Context, want resume) error {
	upTo := s.lastSent
	fresh := want.Epoch == "" || want.Epoch == s.screen.Epoch()
	if !fresh || want.After > upTo {
		return s.reset(ctx, want)
	}
	missed, ok, err := s.screen.Missed(ctx, want.After, upTo)
	if err != nil {
		return err
	}
	if !ok {
		return s.reset(ctx, want)
	}
	for _, e := range missed {
		if err := s.send(ctx, e.Frame); err != nil {
			return err
		}
	}
	return s.frame(ctx, hub.Frame{Type: "resume.ok", CorrelationID: want.correlationID, Timestamp: time.Now().UTC(),
		Payload: mustJSON(map[string]any{"events": len(missed), "seq": upTo})})
}

// reset tells the client to read everything anew.
func (s *session) reset(ctx context.Context, want resume) error {
	return s.frame(ctx, hub.Frame{Type: "reset", CorrelationID: want.correlationID, Timestamp: time.Now().UTC(),
		Payload: mustJSON(map[string]any{"seq": s.lastSent, "epoch": s.screen.Epoch()})})
}

func (s *session) frame(ctx context.Context, f hub.Frame) error {
	data, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return s.send(ctx, data)
}

func (s *session) send(ctx context.Context, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, data)
}

func (s *session) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.WriteTimeout)
	defer cancel()
	return s.conn.Ping(ctx)
}
