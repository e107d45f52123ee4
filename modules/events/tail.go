package events

import (
	"context"
	"errors"
)

// ErrAnotherLog ends a Tail: the database was restored, or a standby took over
// that lagged behind, and positions no longer mean what they meant. Who follows
// asks anew where to begin.
var ErrAnotherLog = errors.New("the log is another than before")

// Now starts a Tail at the end of the log.
const Now int64 = -1

// Tail follows the log on this replica. It is for one goroutine; a slow one
// holds up nobody, it reads from the database what memory no longer has.
type Tail struct {
	log   *Log
	after int64
	// life is the feed's in which after means something.
	life int
}

// Tail follows the log from after a position on, or from Now. It gives events
// while Run (or RunTailer) runs.
func (l *Log) Tail(after int64) *Tail {
	if after < 0 {
		after = Now
	}
	_, life, _ := l.feed.now()
	return &Tail{log: l, after: after, life: life}
}

// Next waits for events and gives the next of them, in the order of the log,
// each once; its error is the context's, the database's or ErrAnotherLog.
func (t *Tail) Next(ctx context.Context) ([]Event, error) {
	for {
		events, err := t.next(ctx, tailBatch)
		if err != nil || len(events) > 0 {
			return events, err
		}
	}
}

// Position is up to where Next has given everything; Now before it knows.
func (t *Tail) Position() int64 { return t.after }

// tailBatch is how many events a follower gets at once.
const tailBatch = 500

// next is Next that also returns, with no events, when the log has none up to a
// new head: the others' gaps.
func (t *Tail) next(ctx context.Context, limit int) ([]Event, error) {
	f := t.log.feed
	for {
		head, life, changed := f.now()
		if life != t.life {
			return nil, ErrAnotherLog
		}
		if head >= 0 && t.after == Now {
			t.after = head
		}
		if head > t.after {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-changed:
		}
	}
	events, upTo, ok := f.since(t.after, limit)
	if !ok {
		head, life, _ := f.now()
		if life != t.life {
			return nil, ErrAnotherLog
		}
		var err error
		if events, err = t.log.readSettled(ctx, t.after, head, limit); err != nil {
			return nil, err
		}
		upTo = head
		if len(events) == limit {
			upTo = events[limit-1].Position
		}
	}
	t.after = upTo
	return events, nil
}

// Head is up to where this replica has seen the log: 0 before Run has looked.
func (l *Log) Head() int64 {
	head, _, _ := l.feed.now()
	return max(head, 0)
}
