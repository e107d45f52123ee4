package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/goals-tracker/tracker/modules/events"
)

// page is how many missed events are read, and held for a client, at a time.
const page = 250

// readersAtOnce bounds the queries for missed events of a replica: when another
// one dies, all of its clients come back at the same time.
const readersAtOnce = 8

// Missed hands a person's events after a position and up to another, which the
// hub has seen, to send, in order and in portions. It says how many there were; ok is false when there
// were more than are sent again.
func (s *Screen) Missed(ctx context.Context, after, upTo int64, send func([]*Event) error) (sent int, ok bool, err error) {
	for after < upTo {
		batch, next, err := s.missed(ctx, after, upTo)
		if err != nil {
			return sent, false, err
		}
		room := s.hub.cfg.MaxResume - sent
		more := len(batch) > room
		if more {
			batch = batch[:room]
		}
		if len(batch) > 0 {
			if err := send(batch); err != nil {
				return sent, false, err
			}
			sent += len(batch)
		}
		if more {
			return sent, false, nil
		}
		after = next
	}
	return sent, true, nil
}

// catchUp is how long a client that comes from a faster replica waits for this
// one: after an outage of the database one may be seconds behind.
const catchUp = 10 * time.Second

// Reached waits for the hub to see a position that another replica has seen, and
// reports whether it has; of a position that the log does not hold it says so at
// once.
func (s *Screen) Reached(ctx context.Context, position int64) bool {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	for asked := false; ; asked = true {
		s.hub.mu.Lock()
		reached := s.hub.position >= position
		s.hub.mu.Unlock()
		if reached {
			return true
		}
		if !asked && !s.hub.holds(ctx, position) {
			return false
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return false
		}
	}
}

// holds reports whether another replica can have seen a position: whether the
// log is settled up to there. While nobody can tell, it may be.
func (h *Hub) holds(ctx context.Context, position int64) bool {
	select {
	case h.readers <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	defer func() { <-h.readers }()
	settled, err := h.settled(ctx)
	return err != nil || settled >= position
}

// missed gives the next events, and up to where they are all.
func (s *Screen) missed(ctx context.Context, after, upTo int64) (batch []*Event, next int64, err error) {
	s.hub.mu.Lock()
	batch, ok := s.hub.ring.of(s.actor.UserID, after, upTo)
	s.hub.mu.Unlock()
	if ok {
		return batch, upTo, nil
	}
	select {
	case s.hub.readers <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	defer func() { <-s.hub.readers }()
	found, more, err := s.hub.log.Read(ctx, s.hub.db.As(s.actor), events.Filter{
		For: s.actor, SubjectID: s.actor.UserID, After: after, Before: upTo + 1, Limit: page,
		Settled: upTo, // the hub has seen it
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read missed events: %w", err)
	}
	for _, e := range found {
		batch = append(batch, &Event{Event: e})
	}
	if more == 0 {
		return batch, upTo, nil
	}
	return batch, more, nil
}
