package events

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Subscription is what a module does after events were committed, once for
// each, in the order of the log, on whichever replica comes first.
type Subscription struct {
	// Name names the checkpoint: "analytics.progress". Required, unique, and for
	// good: under another name everything is handled again. Other Types ask for
	// another name, since the checkpoint is past what was not asked for.
	Name string
	// Types are the events it is for. Required.
	Types []string
	// SkipHistory starts at the end of the log, not at its beginning, when there
	// is no checkpoint yet: for what acts on the outside.
	SkipHistory bool
	// Handle handles one event, in a unit of work of the system that also moves
	// the checkpoint: what it writes is written exactly once. Many events may
	// share a transaction, and it may run again after an error, so it does
	// nothing but database work; what else is to be done it enqueues as a job.
	// After an error the event's stream is parked: its later events wait behind
	// it, other streams go on, and it is tried again with back-off. Required.
	Handle func(ctx context.Context, tx *postgres.Tx, event Event) error
}

// Subscribe registers a subscription. Wiring time only; it panics when a
// required field is missing, a type is unknown or the name is taken.
func (l *Log) Subscribe(s Subscription) {
	if s.Name == "" || len(s.Types) == 0 || s.Handle == nil {
		panic(fmt.Sprintf("events: subscription %q needs Name, Types and Handle", s.Name))
	}
	for _, eventType := range s.Types {
		mustKnow(eventType)
	}
	if slices.ContainsFunc(l.subscriptions, func(o Subscription) bool { return o.Name == s.Name }) {
		panic(fmt.Sprintf("events: two subscriptions are named %q", s.Name))
	}
	l.subscriptions = append(l.subscriptions, s)
	l.done[s.Name] = new(atomic.Int64)
}

// Done says, for each subscription, up to which position everything was handled
// or parked, as far as this replica knows while it runs: for metrics and tests.
func (l *Log) Done() map[string]int64 {
	done := make(map[string]int64, len(l.done))
	for name, position := range l.done {
		done[name] = position.Load()
	}
	return done
}
