package events

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// ParkedStream is a stream that a subscription can't get past.
type ParkedStream struct {
	Subscription string
	// StreamName is "goal:0190…".
	StreamName string
	// Position is that of the event that fails; later ones of the stream wait.
	Position int64
	// Error is how it failed last, for operators.
	Error     string
	Attempts  int
	ParkedAt  time.Time
	NextTryAt time.Time
}

// Parked lists all parked streams, by subscription.
func (l *Log) Parked(ctx context.Context) ([]ParkedStream, error) {
	records, err := store.ListParked(ctx, l.db.As(reader))
	if err != nil {
		return nil, err
	}
	all := make([]ParkedStream, len(records))
	for i, p := range records {
		all[i] = ParkedStream{
			Subscription: p.Subscription, StreamName: p.Stream, Position: p.Position, Error: p.Error,
			Attempts: p.Attempts, ParkedAt: p.ParkedAt, NextTryAt: p.NextTryAt,
		}
	}
	return all, nil
}

// Resume has a parked stream tried again within a second, by a replica that
// runs. ErrNotParked when it is not parked.
func (l *Log) Resume(ctx context.Context, subscription, streamName string) error {
	ok, err := store.ResumeParked(ctx, l.db.As(reader), subscription, streamName)
	if err == nil && !ok {
		err = ErrNotParked.New(streamName, subscription)
	}
	return err
}

// Skip gives up the event at which a stream is parked, for good, and lets the
// stream go on behind it. ErrNotParked when it is not parked.
func (l *Log) Skip(ctx context.Context, subscription, streamName string) error {
	return l.db.InTx(ctx, postgres.As(reader), func(ctx context.Context, tx *postgres.Tx) error {
		if _, _, err := store.LockCheckpoint(ctx, tx, subscription); err != nil {
			return err
		}
		p, ok, err := store.GetParked(ctx, tx, subscription, streamName)
		if err != nil {
			return err
		}
		if !ok {
			return ErrNotParked.New(streamName, subscription)
		}
		return store.MoveParked(ctx, tx, subscription, streamName, p.Position+1)
	})
}

// maxRetries is how many parked streams are looked after before the others'
// turn comes again.
const maxRetries = 20

func (s *subscriber) retryParked(ctx context.Context) error {
	due, err := store.DueParked(ctx, s.log.db.As(reader), s.Name, maxRetries)
	if err != nil {
		return err
	}
	for _, p := range due {
		for {
			more, err := s.retry(ctx, p.Stream)
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
	return nil
}

// retry tries the event at which a stream stands; more says that the next one
// is to be tried at once.
func (s *subscriber) retry(ctx context.Context, stream string) (more bool, err error) {
	var failed *Event
	var attempts int
	err = s.parkedTx(ctx, stream, func(ctx context.Context, tx *postgres.Tx, p store.Parked, at int64) error {
		r, ok, err := store.NextOfStream(ctx, tx, stream, s.Types, p.Position, at)
		if err != nil {
			return err
		}
		if !ok {
			more = false
			return store.Unpark(ctx, tx, s.Name, stream)
		}
		e, _ := s.log.decode(r)
		failed, attempts = &e, p.Attempts
		if e.Position != p.Position {
			attempts = 0
		}
		if err := s.call(ctx, tx, e); err != nil {
			return err
		}
		more = true
		return store.MoveParked(ctx, tx, s.Name, stream, e.Position+1)
	})
	if err == nil || failed == nil || ctx.Err() != nil || !s.log.alive(ctx) {
		return more && err == nil, err
	}
	cause := err
	s.logger.Warn("parked event fails again", "stream", stream, "position", failed.Position, "attempts", attempts+1, "error", cause)
	return false, s.parkedTx(ctx, stream, func(ctx context.Context, tx *postgres.Tx, _ store.Parked, _ int64) error {
		return store.Park(ctx, tx, s.Name, stream, failed.Stream.SubjectID, failed.Position, reason(cause), s.log.retryIn(attempts))
	})
}

// parkedTx runs fn when this replica gets the checkpoint and the stream is
// still parked.
func (s *subscriber) parkedTx(ctx context.Context, stream string, fn func(context.Context, *postgres.Tx, store.Parked, int64) error) error {
	return s.log.db.InTx(ctx, postgres.As(s.actor()), func(ctx context.Context, tx *postgres.Tx) error {
		at, locked, err := store.LockCheckpoint(ctx, tx, s.Name)
		if err != nil || !locked {
			return err
		}
		p, ok, err := store.GetParked(ctx, tx, s.Name, stream)
		if err != nil || !ok {
			return err
		}
		return fn(ctx, tx, p, at)
	})
}
