package events

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// maxRead is the most that one Read gives.
const maxRead = 1000

// Filter says which events to read. Its zero fields ask for nothing.
type Filter struct {
	// For is whose events: their own, a teacher's also those of their courses,
	// an admin's and the system's all. The zero Actor sees none.
	For auth.Actor
	// StreamName is one stream: "goal:0190…".
	StreamName string
	SubjectID  string
	CourseID   string
	// GoalID is a goal's events, with those of its tasks and runs; TaskID those
	// of one task. Zero for all.
	GoalID, TaskID uuid.UUID
	Types          []string
	// After and Before bound the positions, both exclusive.
	After, Before int64
	// Settled is up to where the caller knows the log to be settled, as from a
	// Tail: a writer that is late makes Read give less than that otherwise.
	Settled int64
	// Descending gives the newest first.
	Descending bool
	// Limit is how many at most. Defaults to 50, at most 1000.
	Limit int
}

// Read gives events in the order of the log, up to where it is settled. next is
// what to put into After (Before, if descending) for more; 0 when there are
// none now. q reads with the rights of the same actor as f.For. Outside of units
// of work only: a transaction that reads one snapshot can't know what is
// settled.
func (l *Log) Read(ctx context.Context, q postgres.Queryer, f Filter) (events []Event, next int64, err error) {
	upTo := f.Settled
	if f.Before == 0 || f.Before-1 > f.Settled {
		horizon, err := store.Horizon(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		upTo = max(upTo, horizon)
	}
	if f.Before > 0 {
		upTo = min(upTo, f.Before-1)
	}
	limit := min(positive(f.Limit, 50), maxRead)
	w := store.Query{
		For: f.For, Types: f.Types, After: f.After, UpTo: upTo, Descending: f.Descending, Limit: limit + 1,
		Stream: orNil(f.StreamName), Subject: orNil(f.SubjectID), Course: orNil(f.CourseID),
		Goal: orNil(f.GoalID), Task: orNil(f.TaskID),
	}
	records, err := store.List(ctx, q, w)
	if err != nil {
		return nil, 0, err
	}
	if len(records) > limit {
		records = records[:limit]
		next = records[limit-1].Position
	}
	return l.decodeAll(records), next, nil
}

// Show is the whole history of a stream, for operators; the name is "goal:0190…".
func (l *Log) Show(ctx context.Context, name string) ([]Event, error) {
	f := Filter{For: reader, StreamName: name, Limit: maxRead}
	var all []Event
	for {
		events, next, err := l.Read(ctx, l.db.As(reader), f)
		if err != nil {
			return nil, fmt.Errorf("show stream %s: %w", name, err)
		}
		all = append(all, events...)
		if next == 0 {
			return all, nil
		}
		f.After = next
	}
}

// Horizon is up to where the log is settled now.
func (l *Log) Horizon(ctx context.Context) (int64, error) { return store.Horizon(ctx, l.db.As(reader)) }

// Epoch is the same as long as positions can be compared: a restore makes a new
// cluster, timeline, database or, in place, a new table.
func (l *Log) Epoch(ctx context.Context) (string, error) {
	return store.Epoch(ctx, l.db.As(reader))
}

// reader is who reads for the server itself.
var reader = auth.System("events")

// readSettled reads the whole log between two positions, the second of which is
// known to be settled.
func (l *Log) readSettled(ctx context.Context, after, upTo int64, limit int) ([]Event, error) {
	records, err := store.List(ctx, l.db.As(reader), store.Query{For: reader, After: after, UpTo: upTo, Limit: limit})
	if err != nil {
		return nil, err
	}
	return l.decodeAll(records), nil
}

func (l *Log) decodeAll(records []store.Record) []Event {
	events := make([]Event, len(records))
	for i, r := range records {
		// Who needs the payload meets the error there: see payloadError.
		events[i], _ = l.decode(r)
	}
	return events
}

func (l *Log) decode(r store.Record) (Event, error) {
	s, _ := ParseStream(r.Stream)
	s.SubjectID, s.CourseID = orZero(r.Subject), orZero(r.Course)
	e := Event{
		Position: r.Position, ID: r.ID, Stream: s, Version: r.Version, Type: r.Type,
		OccurredAt: r.OccurredAt.UTC(),
	}
	var err error
	e.Raw, e.SchemaVersion, e.Data, err = l.codec.decode(r.Type, r.SchemaVersion, r.Data)
	if err != nil {
		e.Data = nil
		err = fmt.Errorf("event %d of %s: %w", r.Position, r.Stream, err)
	}
	if metaErr := json.Unmarshal(r.Meta, &e.Meta); err == nil && metaErr != nil {
		err = fmt.Errorf("event %d of %s: read meta: %w", r.Position, r.Stream, metaErr)
	}
	return e, err
}

// payloadError says why an event has no Data.
func (l *Log) payloadError(e Event) error {
	if e.Data != nil {
		return nil
	}
	_, _, _, err := l.codec.decode(e.Type, e.SchemaVersion, e.Raw)
	if err == nil {
		err = fmt.Errorf("the payload of %s could not be read", e.Type)
	}
	return err
}

func orNil[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

func orZero(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
