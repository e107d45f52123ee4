package hub

import (
	"context"
	"sync"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
)

// Screen is one open connection of a person.
type Screen struct {
	hub   *Hub
	actor auth.Actor
	// joined is the log's position from which on the queue holds every event.
	joined int64
	epoch  string
	wake   func()

	mu    sync.Mutex
	queue []Push
	// asleep: the taker found nothing and waits to be woken.
	asleep bool
	why    error
}

// joinWait is how long a person waits for the hub to follow the log.
const joinWait = 5 * time.Second

// Join opens a screen; it waits a while for the hub to follow the log, and gives
// ErrGap when it does not. wake is called
// when there is something to Take, once after each Take that found nothing; it
// must not block.
func (h *Hub) Join(ctx context.Context, actor auth.Actor, wake func()) (*Screen, error) {
	if h.refused(actor.UserID) {
		return nil, errAccount.New().Because(ErrErased)
	}
	if !h.places.Enter(ctx, actor.UserID) {
		return nil, ErrTooManyConnections.New(h.places.Most())
	}
	s, err := h.join(ctx, actor, wake)
	if err != nil {
		h.places.Leave(actor.UserID)
	}
	return s, err
}

func (h *Hub) join(ctx context.Context, actor auth.Actor, wake func()) (*Screen, error) {
	if err := h.lockFollowing(ctx); err != nil {
		return nil, err
	}
	defer h.mu.Unlock()
	if h.refuse != nil && h.refuse(actor.UserID) {
		return nil, errAccount.New().Because(ErrErased)
	}
	s := &Screen{hub: h, actor: actor, joined: h.position, epoch: h.epoch, wake: wake}
	if h.screens[actor.UserID] == nil {
		h.screens[actor.UserID] = map[*Screen]struct{}{}
	}
	h.screens[actor.UserID][s] = struct{}{}
	return s, nil
}

// lockFollowing locks mu while the log is followed; unless there is an error.
func (h *Hub) lockFollowing(ctx context.Context) error {
	late := time.NewTimer(joinWait)
	defer late.Stop()
	for {
		h.mu.Lock()
		if h.following && !h.stopped {
			return nil
		}
		stopped, changed := h.stopped, h.changed
		h.mu.Unlock()
		if stopped {
			return ErrShutdown
		}
		select {
		case <-changed:
		case <-late.C:
			return ErrGap
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Joined is the position after which Take gives every event of the person.
func (s *Screen) Joined() int64 { return s.joined }

// Epoch changes when positions can no longer be compared.
func (s *Screen) Epoch() string { return s.epoch }

// atOnce is how many pushes a taker gets at a time: what was taken no longer
// counts towards the queue's bound.
const atOnce = 32

// Take gives what waits, in order, and room back to the queue; nothing while
// the taker holds. When it gives nothing, it says why the screen was ended, or
// nil, and wake will be called.
func (s *Screen) Take(hold bool) (pushes []Push, ended error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why != nil {
		return nil, s.why // what waits is sent again when the client resumes
	}
	if hold || len(s.queue) == 0 {
		s.asleep = true
		return nil, nil
	}
	if n := len(s.queue); n <= atOnce {
		pushes, s.queue = s.queue, nil
		return pushes, nil
	}
	pushes = append(pushes, s.queue[:atOnce]...)
	s.queue = append(s.queue[:0], s.queue[atOnce:]...)
	return pushes, nil
}

// offer queues a push and reports whether there was room for one that may not
// be lost; it never waits.
func (s *Screen) offer(p Push) (kept bool) {
	s.mu.Lock()
	room := s.hub.cfg.Queue
	if p.Event == nil {
		room /= 2 // what may be lost never crowds out what may not
	}
	if s.why != nil || len(s.queue) >= room {
		s.mu.Unlock()
		return p.Event == nil
	}
	s.queue = append(s.queue, p)
	s.stir()
	return true
}

// end ends the screen, the first reason counts.
func (s *Screen) end(why error) {
	s.mu.Lock()
	if s.why == nil {
		s.why, s.queue = why, nil
	}
	s.stir()
}

// stir unlocks mu, and wakes the taker if it sleeps.
func (s *Screen) stir() {
	wake := s.asleep
	s.asleep = false
	s.mu.Unlock()
	if wake {
		s.wake()
	}
}

// Leave closes the screen.
func (s *Screen) Leave() { s.hub.end(s, context.Canceled) }
