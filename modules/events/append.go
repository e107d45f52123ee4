package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events/internal/store"
)

// AnyVersion is the expected version of a stream whose writers don't decide on
// its state ("coach.nudged"). Versions are then known after the commit only.
const AnyVersion int64 = -1

// maxDepth is how far reactions may cause reactions; beyond, two modules are
// answering each other for ever.
const maxDepth = 8

// Append buffers events of one stream for the unit of work; they are written
// once, last, in one batch. expected is the stream's version before them: 0 for
// a new stream, AnyVersion where it doesn't matter. When it is stale, the unit
// of work fails at its end with errs.StaleVersion (detail "version": the
// current one), as it does on a payload that can't be stored.
//
// The events come back as any reader will see them, but for their position.
// Make state only from them. Without payloads nothing happens.
func (l *Log) Append(tx *postgres.Tx, s Stream, expected int64, payloads ...proto.Message) []Event {
	if len(payloads) == 0 {
		return nil
	}
	u := l.unit(tx)
	if l.Refused(s.SubjectID) {
		u.fail(auth.ErrRevoked.New())
	}
	st, err := u.stream(s, expected)
	if err != nil {
		u.fail(err)
		st = &appendedStream{Stream: s, expected: expected}
	}
	events := make([]Event, len(payloads))
	for i, payload := range payloads {
		eventType, data, stored, err := l.codec.encode(payload)
		if err != nil {
			u.fail(fmt.Errorf("append to %s: %w", s.Name(), err))
			stored = payload
		}
		st.count++
		e := Event{
			ID: uuid.Must(uuid.NewV7()), Stream: s, Type: eventType, SchemaVersion: l.codec.current(eventType),
			Data: stored, Raw: data, OccurredAt: u.at,
			Meta: Meta{Actor: tx.Actor().Name(), RequestID: tx.Call().RequestID},
		}
		if st.expected != AnyVersion {
			e.Version = st.expected + int64(st.count)
		}
		u.events = append(u.events, buffered{Event: e, stream: st, nth: st.count, depth: u.depth})
		events[i] = e
	}
	if !u.scheduled {
		u.scheduled = true
		tx.BeforeCommit(l.react)
	}
	return events
}

// Now is the instant of the unit of work: the OccurredAt of all its events.
func (l *Log) Now(tx *postgres.Tx) time.Time { return l.unit(tx).at }

// At sets the instant of a unit of work that has not appended yet: for what
// happened elsewhere before it came into this log. It is kept in whole
// microseconds.
func (l *Log) At(tx *postgres.Tx, at time.Time) {
	u := l.unit(tx)
	if len(u.events) > 0 {
		u.fail(errors.New("set the instant of a unit of work: it has appended already"))
		return
	}
	u.at = at.UTC().Truncate(time.Microsecond)
}

// unitKey finds the log's buffer in a unit of work.
type unitKey struct{ *Log }

// unit is what one unit of work appends.
type unit struct {
	at time.Time
	// events are not yet written; the first reacted of them have had their
	// reactions.
	events  []buffered
	reacted int
	streams map[string]*appendedStream
	// depth of what is appended now: 0 by the unit of work's own function.
	depth     int
	scheduled bool
	err       error
}

type buffered struct {
	Event
	stream *appendedStream
	nth    int
	depth  int
}

// appendedStream counts what was appended to a stream since the last write.
type appendedStream struct {
	Stream
	expected int64
	count    int
}

func (l *Log) unit(tx *postgres.Tx) *unit {
	if u, ok := tx.Value(unitKey{l}).(*unit); ok {
		return u
	}
	u := &unit{at: time.Now().UTC().Truncate(time.Microsecond), streams: map[string]*appendedStream{}}
	tx.SetValue(unitKey{l}, u)
	return u
}

func (u *unit) fail(err error) {
	if u.err == nil {
		u.err = err
	}
}

func (u *unit) stream(s Stream, expected int64) (*appendedStream, error) {
	if _, ok := ParseStream(s.Name()); !ok || expected < AnyVersion {
		return nil, fmt.Errorf("append to stream %q at version %d: a stream has a type and an id, and no version below 0", s.Name(), expected)
	}
	st, again := u.streams[s.Name()]
	if !again {
		st = &appendedStream{Stream: s, expected: expected}
		u.streams[s.Name()] = st
		return st, nil
	}
	if st.SubjectID != s.SubjectID {
		return nil, fmt.Errorf("append to stream %s: it belongs to another subject", s.Name())
	}
	st.CourseID = s.CourseID
	// What was appended to any version has none that could be expected.
	if expected == AnyVersion || (st.expected != AnyVersion && expected == st.expected+int64(st.count)) {
		return st, nil
	}
	current := max(st.expected, 0) + int64(st.count)
	return nil, errs.StaleVersion.New(expected, current).WithDetail("version", fmt.Sprint(current))
}

// react runs the reactions to what was appended, then lets the hooks of others
// go first: the writing comes last, because readers of the log wait for it.
func (l *Log) react(ctx context.Context, tx *postgres.Tx) error {
	u := l.unit(tx)
	for ; u.err == nil && u.reacted < len(u.events); u.reacted++ {
		e := u.events[u.reacted]
		if e.depth >= maxDepth && len(l.reactions[e.Type]) > 0 {
			return fmt.Errorf("react to %s: reactions caused each other %d times over", e.Type, maxDepth)
		}
		u.depth = e.depth + 1
		for _, reaction := range l.reactions[e.Type] {
			if err := reaction(ctx, tx, e.Event); err != nil {
				return fmt.Errorf("react to %s of %s: %w", e.Type, e.Stream.Name(), err)
			}
		}
	}
	if u.err != nil {
		return u.err
	}
	tx.BeforeCommit(l.write)
	return nil
}

func (l *Log) write(ctx context.Context, tx *postgres.Tx) error {
	u := l.unit(tx)
	if u.err != nil || u.reacted < len(u.events) {
		return l.react(ctx, tx) // another hook appended meanwhile
	}
	batch, err := u.batch()
	if err != nil {
		return err
	}
	if err := store.Append(tx, batch); err != nil {
		return err
	}
	// A hook that comes after this one may append again.
	for _, st := range u.streams {
		if st.expected == AnyVersion {
			delete(u.streams, st.Name())
			continue
		}
		st.expected, st.count = st.expected+int64(st.count), 0
	}
	u.events, u.reacted, u.depth, u.scheduled = nil, 0, 0, false
	tx.AfterCommit(l.committed)
	return nil
}

func (u *unit) batch() (store.Batch, error) {
	b := store.Batch{At: u.at}
	index := map[*appendedStream]int32{}
	for _, name := range sortedKeys(u.streams) {
		if st := u.streams[name]; st.count > 0 {
			b.AddStream(name, st.Type, st.SubjectID, st.CourseID, st.expected, st.count)
			index[st] = int32(len(b.Streams))
		}
	}
	goals := map[uuid.UUID]uuid.NullUUID{}
	for _, e := range u.events {
		goal, task := idField(e.Data, "goal_id"), idField(e.Data, "task_id")
		if task.Valid && goal.Valid {
			goals[task.UUID] = goal
		} else if task.Valid {
			goal = goals[task.UUID]
		}
		b.AddEvent(e.ID, index[e.stream], e.nth, e.Type, e.SchemaVersion, goal, task, e.Raw)
	}
	var err error
	b.Meta, err = json.Marshal(u.events[0].Meta)
	return b, err
}
