package hub

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/events"
)

// Screen is one open connection of a person.
type Screen struct {
	hub    *Hub
	userID string
	actor  auth.Actor
	// joined is the log's position from which on the queue holds every event.
	joined int64
	epoch  string
	pushes chan Push
	why    error
}

// Join opens a screen. It waits until the hub follows the log.
func (h *Hub) Join(ctx context.Context, actor auth.Actor) (*Screen, error) {
	select {
	case <-h.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		return nil, ErrShutdown
	}
	if len(h.screens[actor.UserID]) >= h.cfg.MaxConnections {
		return nil, ErrTooManyConnections.New(h.cfg.MaxConnections)
	}
	s := &Screen{hub: h, userID: actor.UserID, actor: actor, joined: h.position, epoch: h.epoch, pushes: make(chan Push, h.cfg.Queue)}
	if h.screens[actor.UserID] == nil {
		h.screens[actor.UserID] = map[*Screen]struct{}{}
	}
	h.screens[actor.UserID][s] = struct{}{}
	return s, nil
}

// Joined is the position from which on Pushes holds every event of the person.
func (s *Screen) Joined() int64 { return s.joined }

// Epoch changes when positions can no longer be compared.
func (s *Screen) Epoch() string { return s.epoch }

// Pushes are what is to be shown, in order; closed when the screen was ended.
func (s *Screen) Pushes() <-chan Push { return s.pushes }

// Why says why Pushes was closed.
func (s *Screen) Why() error {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.why
}

// Leave closes the screen.
func (s *Screen) Leave() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.end(s, context.Canceled)
}

// Missed gives the person's events after a position and up to another. ok is
// false when there are more than are sent again.
func (s *Screen) Missed(ctx context.Context, after, upTo int64) (missed []*Encoded, ok bool, err error) {
	for after < upTo {
		batch, next, err := s.hub.log.Read(ctx, s.hub.db.As(s.actor), events.Filter{
			For: s.actor, SubjectID: s.userID, After: after, Before: upTo + 1, Limit: 1000,
		})
		if err != nil {
			return nil, false, fmt.Errorf("read missed events: %w", err)
		}
		if len(missed)+len(batch) > s.hub.cfg.MaxResume {
			return nil, false, nil
		}
		for _, e := range batch {
			missed = append(missed, Encode(e))
		}
		if len(batch) == 0 || next == 0 {
			break
		}
		after = batch[len(batch)-1].Position
	}
	return missed, true, nil
}
