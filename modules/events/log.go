package events

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Log is the event log. Register reactions, subscriptions, folds and upcasters
// while wiring; then Run it, once per process. Append, Read, Verify and Rebuild
// work without Run.
type Log struct {
	db     *postgres.DB
	cfg    Config
	logger *slog.Logger

	codec         codec
	reactions     map[string][]Reaction
	subscriptions []Subscription
	folds         []Folder
	// refused: see RefuseWhen.
	refused func(subjectID string) bool
	// done by subscription: see Done.
	done map[string]*atomic.Int64

	feed *feed
	// wake has room for one: that the tailer should look. appended likewise:
	// that the other replicas should.
	wake, appended chan struct{}
	// shared is set when somebody else runs the listener.
	shared bool
	// doubt asks the tailer to compare the log with what it was: epoch, when it
	// last compared.
	doubt    atomic.Bool
	epoch    string
	compared time.Time
	// replica tells our own notifications from others'.
	replica string
}

// Reaction is what a module does on another's event, in the same transaction.
type Reaction func(ctx context.Context, tx *postgres.Tx, event Event) error

// New makes the log of a database. Logger defaults to slog.Default().
func New(db *postgres.DB, cfg Config, logger *slog.Logger) *Log {
	if logger == nil {
		logger = slog.Default()
	}
	cfg = cfg.withDefaults()
	return &Log{
		db:        db,
		cfg:       cfg,
		logger:    logger.With("part", "events"),
		codec:     codec{upcasters: map[upcastKey]Upcaster{}},
		reactions: map[string][]Reaction{},
		done:      map[string]*atomic.Int64{},
		feed:      newFeed(cfg.HistoryEvents, cfg.HistoryBytes),
		wake:      make(chan struct{}, 1),
		appended:  make(chan struct{}, 1),
		replica:   uuid.NewString(),
	}
}

// React registers an inline reaction to events of a type. It runs in the
// transaction that appended the event, after the unit of work's own function
// and before anything of the log is written; it may append, and an error undoes
// the whole unit of work.
//
// It runs with the rights of the system, since it is the server's own code at
// work on whatever rows follow from the event; tx.Actor() is still the caller,
// for decisions. It must be quick and do nothing but database work.
//
// Wiring time only. It panics on a type that no linked payload has.
func (l *Log) React(eventType string, fn Reaction) {
	mustKnow(eventType)
	l.reactions[eventType] = append(l.reactions[eventType], fn)
}

// Upcast registers how payloads of a type go from one schema version, from 1
// on, to the next. Events are written in the version after the last upcaster.
// Wiring time only; it panics on a version that has one.
func (l *Log) Upcast(eventType string, from int, fn Upcaster) {
	mustKnow(eventType)
	key := upcastKey{eventType, from}
	if from < 1 || l.codec.upcasters[key] != nil {
		panic(fmt.Sprintf("events: upcaster of %s from schema %d is there already", eventType, from))
	}
	l.codec.upcasters[key] = fn
}

// Fold registers how the rows of a stream type follow from its events, for
// Verify and Rebuild. Wiring time only; it panics on a type that has one.
func (l *Log) Fold(f Folder) {
	if slices.ContainsFunc(l.folds, func(o Folder) bool { return o.StreamType() == f.StreamType() }) {
		panic(fmt.Sprintf("events: two folds of stream type %q", f.StreamType()))
	}
	l.folds = append(l.folds, f)
}

// committed wakes those who wait for events; it never blocks.
func (l *Log) committed() {
	signal(l.wake)
	signal(l.appended)
}

func mustKnow(eventType string) {
	if _, known := payloadTypes()[eventType]; !known {
		panic(fmt.Sprintf("events: no payload message has the type %q: misspelt, or its generated package is not imported", eventType))
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
