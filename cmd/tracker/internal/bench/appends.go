package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

// plainTables are the log's tables without the log: the same columns, indexes
// and constraints, no policies, no triggers, no readers.
const plainTables = `
	CREATE SCHEMA bench;
	CREATE TABLE bench.streams (LIKE events.streams INCLUDING ALL) WITH (fillfactor = 85);
	CREATE TABLE bench.events (LIKE events.events INCLUDING ALL);
	GRANT USAGE ON SCHEMA bench TO tracker_system;
	GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA bench TO tracker_system;
	GRANT USAGE ON ALL SEQUENCES IN SCHEMA bench TO tracker_system`

const (
	plainStream = `INSERT INTO bench.streams (stream_id, type, subject_id, course_id, version, created_at, updated_at)
		VALUES ($1, 'goal', $2, $3, 1, $4, $4)`
	plainEvent = `INSERT INTO bench.events (event_id, stream_id, version, type, schema_version, subject_id, course_id, goal_id, data, meta, occurred_at)
		VALUES ($1, $2, 1, 'goal.created', 1, $3, $4, $5, $6, $7, $8)`
)

// appends measures an append of one event to a new stream against writing the
// same rows in a unit of work, and both against inserting the event's row alone.
// The log is followed meanwhile, as on any server.
func (b *bench) appends(ctx context.Context, s *server) error {
	if _, err := b.db.pool().Exec(ctx, plainTables); err != nil {
		return fmt.Errorf("make tables to insert into: %w", err)
	}
	e, err := sample(ctx, s)
	if err != nil {
		return err
	}
	for _, writers := range b.Writers {
		err := b.compare(ctx, fmt.Sprintf("append, writers: %d", writers),
			side{"append", b.written(writers, func(ctx context.Context) error { return appendOne(ctx, s) })},
			side{"same rows in a transaction", b.written(writers, func(ctx context.Context) error { return e.insertBoth(ctx, s.db) })},
			side{"plain insert", b.written(writers, func(ctx context.Context) error { return e.insert(ctx, s.db) })},
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// written lets writers do something again and again for a round.
func (b *bench) written(writers int, once func(context.Context) error) func(context.Context) (work, error) {
	return func(ctx context.Context) (work, error) {
		var count atomic.Int64
		failures := make([]error, writers)
		begin := time.Now()
		var group sync.WaitGroup
		for i := range writers {
			group.Go(func() {
				for time.Since(begin) < b.Round && failures[i] == nil {
					failures[i] = once(ctx)
					count.Add(1)
				}
			})
		}
		group.Wait()
		return work{count: int(count.Load()), seconds: time.Since(begin).Seconds()}, errors.Join(failures...)
	}
}

var actor = auth.Actor{UserID: learner, Roles: []auth.Role{auth.Student}}

// appendOne is a unit of work that appends to a new stream.
func appendOne(ctx context.Context, s *server) error {
	stream := events.Stream{Type: goalStream, ID: uuid.Must(uuid.NewV7()).String(), SubjectID: learner, CourseID: course}
	courseID := course
	return s.db.InTx(ctx, postgres.Call{Actor: actor, RequestID: "bench"}, func(_ context.Context, tx *postgres.Tx) error {
		s.log.Append(tx, stream, 0, &goalsv1.GoalCreated{GoalId: stream.ID, UserId: learner, Details: &goalsv1.GoalDetails{
			CourseId: &courseID, Title: title, Description: description, Priority: goalsv1.Priority_PRIORITY_HIGH,
			ValidationCriteria: criteria, Metadata: metadata,
		}})
		return nil
	})
}

// goalStream is a type of streams that the log knows.
const goalStream = "goal"

// row is what the log stored of such an event.
type row struct{ data, meta string }

// sample appends one and reads its row back.
func sample(ctx context.Context, s *server) (r row, err error) {
	if err := appendOne(ctx, s); err != nil {
		return r, fmt.Errorf("append a sample: %w", err)
	}
	err = s.db.Pool().QueryRow(ctx, "SELECT data::text, meta::text FROM events.events ORDER BY position DESC LIMIT 1").Scan(&r.data, &r.meta)
	if err != nil {
		return r, fmt.Errorf("read the sample: %w", err)
	}
	return r, nil
}

// insert writes the event's row, committed by itself.
func (r row) insert(ctx context.Context, db *postgres.DB) error {
	goal := uuid.Must(uuid.NewV7())
	_, err := db.Pool().Exec(ctx, plainEvent, r.values(goal)...)
	return err
}

// insertBoth writes the stream's row and the event's in a unit of work, in as
// many round trips as an append takes.
func (r row) insertBoth(ctx context.Context, db *postgres.DB) error {
	goal := uuid.Must(uuid.NewV7())
	return db.InTx(ctx, postgres.As(auth.System("bench")), func(ctx context.Context, tx *postgres.Tx) error {
		var batch pgx.Batch
		batch.Queue(plainStream, goalStream+":"+goal.String(), learner, course, time.Now())
		batch.Queue(plainEvent, r.values(goal)...)
		return tx.SendBatch(ctx, &batch).Close()
	})
}

func (r row) values(goal uuid.UUID) []any {
	return []any{uuid.Must(uuid.NewV7()), goalStream + ":" + goal.String(), learner, course, goal, r.data, r.meta, time.Now()}
}
