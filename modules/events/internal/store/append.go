// Package store holds the statements on the schema "events".
package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Batch is what one unit of work appends, column by column. FlatArray spares
// pgx the reflection that other slices of structs cost it.
type Batch struct {
	Streams, streamTypes []string
	subjects, courses    pgtype.FlatArray[pgtype.Text]
	expected             []int64
	counts               []int32

	ids            pgtype.FlatArray[pgtype.UUID]
	streamOf, nth  []int32
	types          []string
	schemaVersions []int32
	goals, tasks   pgtype.FlatArray[pgtype.UUID]
	payloads       []string

	// Meta is one JSON object for all events.
	Meta []byte
	At   time.Time
}

// AddStream adds a stream; they come sorted by name. expected is -1 for any.
func (b *Batch) AddStream(name, kind, subject, course string, expected int64, count int) {
	b.Streams = append(b.Streams, name)
	b.streamTypes = append(b.streamTypes, kind)
	b.subjects = append(b.subjects, pgtype.Text{String: subject, Valid: subject != ""})
	b.courses = append(b.courses, pgtype.Text{String: course, Valid: course != ""})
	b.expected = append(b.expected, expected)
	b.counts = append(b.counts, int32(count))
}

// AddEvent adds an event of the stream-th stream, the nth of it, both from 1.
func (b *Batch) AddEvent(id uuid.UUID, stream int32, nth int, eventType string, schema int, goal, task uuid.NullUUID, payload []byte) {
	b.ids = append(b.ids, pgtype.UUID{Bytes: id, Valid: true})
	b.streamOf = append(b.streamOf, stream)
	b.nth = append(b.nth, int32(nth))
	b.types = append(b.types, eventType)
	b.schemaVersions = append(b.schemaVersions, int32(schema))
	b.goals = append(b.goals, pgtype.UUID{Bytes: goal.UUID, Valid: goal.Valid})
	b.tasks = append(b.tasks, pgtype.UUID{Bytes: task.UUID, Valid: task.Valid})
	b.payloads = append(b.payloads, string(payload))
}

var appendEvents = postgres.SQL("events.append", `
	SELECT events.append(@streams, @stream_types, @subjects, @courses, @expected, @counts,
	                     @ids, @stream_of, @nth, @types, @schema_versions, @goals, @tasks, @payloads,
	                     @meta, @at)`)

// staleVersion is the SQLSTATE that events.append raises.
const staleVersion = "EV001"

// beingErased is the SQLSTATE of what is written about somebody who is being
// erased.
const beingErased = "EV002"

// Append writes the batch in the round trip of the commit, so that its locks,
// which the log's readers and other writers wait for, are held no longer than
// that takes. The unit of work fails with errs.StaleVersion when a stream is not
// at the version that was expected.
func Append(tx *postgres.Tx, b Batch) error {
	return tx.Later(appendEvents, postgres.Args{
		"streams": b.Streams, "stream_types": b.streamTypes, "subjects": b.subjects, "courses": b.courses,
		"expected": b.expected, "counts": b.counts,
		"ids": b.ids, "stream_of": b.streamOf, "nth": b.nth, "types": b.types, "schema_versions": b.schemaVersions,
		"goals": b.goals, "tasks": b.tasks, "payloads": b.payloads,
		"meta": string(b.Meta), "at": b.At,
	}, func(err error) error {
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == staleVersion {
			return stale(pg)
		}
		if errors.As(err, &pg) && pg.Code == beingErased {
			return auth.ErrRevoked.New().Because(pg)
		}
		return fmt.Errorf("append %d events to %s: %w", len(b.ids), strings.Join(b.Streams, ", "), err)
	})
}

func stale(pg *pgconn.PgError) error {
	words := strings.Fields(pg.Detail)
	if len(words) < 2 {
		return pg
	}
	current := words[len(words)-1]
	sent, err := strconv.ParseInt(words[len(words)-2], 10, 64)
	if err != nil {
		return pg
	}
	now, err := strconv.ParseInt(current, 10, 64)
	if err != nil {
		return pg
	}
	return errs.StaleVersion.New(sent, now).WithDetail("version", current).Because(pg)
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
