package events

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// subscriber runs one subscription on this replica. Others run the same one:
// whoever holds the lock on the checkpoint's row handles a batch, and a lock
// dies with its connection.
type subscriber struct {
	Subscription
	log    *Log
	logger *slog.Logger
	tail   *Tail
	// saved is the checkpoint as it was last known to stand.
	saved int64
	// done is up to where nothing is left to do here, the Log's Lag reads it.
	done *atomic.Int64
	// retried is when parked streams were last looked for.
	retried time.Time
}

func (l *Log) subscriber(s Subscription) *subscriber {
	return &subscriber{Subscription: s, log: l, logger: l.logger.With("subscription", s.Name), done: l.done[s.Name]}
}

// actor is how the log names what a handler appends.
func (s *subscriber) actor() auth.Actor { return auth.System(s.Name) }

// unsaved is how many positions of others' events a checkpoint may lie behind:
// after a restart they are read again, which costs less than a write for each.
const unsaved = 1000

func (s *subscriber) run(ctx context.Context) {
	var failing backoff
	for ctx.Err() == nil {
		err := s.step(ctx)
		if errors.Is(err, errMeanwhile) {
			s.tail = nil
			continue
		}
		if err != nil && ctx.Err() == nil {
			s.logger.Warn("run subscription", "error", err)
			failing.wait(ctx)
			s.tail = nil // where it stands is the checkpoint's word
			continue
		}
		failing.reset()
	}
}

func (s *subscriber) step(ctx context.Context) error {
	if s.tail == nil {
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	if every := min(s.log.cfg.RetryAfter, time.Second); time.Since(s.retried) >= every {
		s.retried = time.Now()
		if err := s.retryParked(ctx); err != nil {
			return err
		}
	}
	wait, cancel := context.WithTimeout(ctx, s.log.cfg.PollEvery)
	defer cancel()
	events, err := s.tail.next(wait, s.log.cfg.Batch)
	if err != nil {
		if wait.Err() != nil {
			return nil // nothing new: look after what is parked
		}
		return err
	}
	upTo := s.tail.Position()
	events = slices.DeleteFunc(events, func(e Event) bool { return !slices.Contains(s.Types, e.Type) })
	switch {
	case len(events) > 0:
		err = s.handleAll(ctx, events, upTo)
	case upTo-s.saved >= unsaved:
		s.saved = upTo
		err = store.MoveCheckpoint(ctx, s.log.db.As(reader), s.Name, upTo)
	}
	if err == nil {
		s.done.Store(upTo)
	}
	return err
}

func (s *subscriber) start(ctx context.Context) error {
	var from int64
	if s.SkipHistory {
		var err error
		if from, err = s.log.Horizon(ctx); err != nil {
			return err
		}
	}
	at, err := store.Checkpoint(ctx, s.log.db.As(reader), s.Name, from)
	if err != nil {
		return err
	}
	s.saved, s.tail = at, s.log.Tail(at)
	s.done.Store(at)
	return nil
}

// handleAll handles events in one transaction; when one fails, each in its own,
// so that what fails is parked alone.
func (s *subscriber) handleAll(ctx context.Context, events []Event, upTo int64) error {
	err := s.handle(ctx, events, upTo)
	if err == nil || ctx.Err() != nil || !s.log.alive(ctx) {
		return err
	}
	for i, e := range events {
		to := e.Position
		if i == len(events)-1 {
			to = upTo
		}
		one := events[i : i+1]
		err := s.handle(ctx, one, to)
		if err == nil {
			continue
		}
		if ctx.Err() != nil || !s.log.alive(ctx) {
			return err
		}
		if err := s.park(ctx, e, to, err); err != nil {
			return err
		}
	}
	return nil
}

// busyWait is how long to wait for the replica that handles events now.
const busyWait = 25 * time.Millisecond

// handle handles events that are not past the checkpoint and not parked, and
// moves the checkpoint, in one transaction.
func (s *subscriber) handle(ctx context.Context, events []Event, upTo int64) error {
	for {
		mine := false
		err := s.log.db.InTx(ctx, postgres.As(s.actor()), func(ctx context.Context, tx *postgres.Tx) error {
			at, locked, err := store.LockCheckpoint(ctx, tx, s.Name)
			if err != nil || !locked {
				return err
			}
			mine = true
			if at >= upTo {
				return nil // the other replica did it
			}
			names := make([]string, len(events))
			for i, e := range events {
				names[i] = e.Stream.Name()
			}
			parked, err := store.ParkedAmong(ctx, tx, s.Name, names)
			if err != nil {
				return err
			}
			for i, e := range events {
				if e.Position <= at || parked[names[i]] {
					continue // done, or waiting in its stream
				}
				if err := s.call(ctx, tx, e); err != nil {
					return err
				}
			}
			return store.MoveCheckpoint(ctx, tx, s.Name, upTo)
		})
		if err != nil || mine {
			if err == nil {
				s.saved = upTo
			}
			return err
		}
		if sleep(ctx, busyWait); ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// call runs the handler; a panic is an error like any other.
func (s *subscriber) call(ctx context.Context, tx *postgres.Tx, e Event) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	if err := s.log.payloadError(e); err != nil {
		return err
	}
	return s.Handle(ctx, tx, e)
}

// park notes the failure and moves on.
func (s *subscriber) park(ctx context.Context, e Event, upTo int64, cause error) error {
	s.logger.Error("event can't be handled, its stream is parked", "stream", e.Stream.Name(), "position", e.Position, "type", e.Type, "error", cause)
	return s.log.db.InTx(ctx, postgres.As(s.actor()), func(ctx context.Context, tx *postgres.Tx) error {
		at, locked, err := store.LockCheckpoint(ctx, tx, s.Name)
		if err != nil {
			return err
		}
		if !locked || at >= e.Position {
			return errMeanwhile
		}
		if err := store.Park(ctx, tx, s.Name, e.Stream.Name(), e.Stream.SubjectID, e.Position, reason(cause), s.log.retryIn(0)); err != nil {
			return err
		}
		return store.MoveCheckpoint(ctx, tx, s.Name, upTo)
	})
}

// errMeanwhile makes the subscriber start over from the checkpoint.
var errMeanwhile = errors.New("another replica went on meanwhile")

// retryIn is how long a parked stream waits after its nth retry.
func (l *Log) retryIn(attempts int) time.Duration {
	wait := l.cfg.RetryAfter
	for range attempts {
		if wait *= 2; wait >= l.cfg.RetryAtMost {
			return l.cfg.RetryAtMost
		}
	}
	return wait
}

// alive tells an event that can't be handled from a database that is away: for
// the second, nothing is parked.
func (l *Log) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return l.db.Ping(ctx) == nil
}

// maxReason bounds what is kept of an error.
const maxReason = 4000

func reason(err error) string {
	text := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "?")
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "")
	}
	return text
}
