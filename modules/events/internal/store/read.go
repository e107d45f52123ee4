package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Record is an event as it is stored.
type Record struct {
	Position      int64
	ID            uuid.UUID
	Stream        string
	Version       int64
	Type          string
	SchemaVersion int
	Subject       *string
	Course        *string
	Data          []byte
	Meta          []byte
	OccurredAt    time.Time
}

const columns = `position, event_id, stream_id, version, type, schema_version, subject_id, course_id, data, meta, occurred_at`

// Query says which events List gives.
type Query struct {
	// For is whose rights the scope filter has.
	For                     auth.Actor
	Stream, Subject, Course *string
	Goal, Task              *uuid.UUID
	Types                   []string
	After, UpTo             int64
	Descending              bool
	Limit                   int
}

// lists are the statements of List, by scope, index and order: one that says
// "this or nothing" of everything would find no index.
var lists = func() map[string]*postgres.Statement {
	scopes := map[string]string{
		"all":     "true",
		"learner": "/*scope*/ (subject_id = @actor) /*end*/",
		"teacher": "/*scope*/ (subject_id = @actor OR course_id = ANY(@courses)) /*end*/",
	}
	indexes := map[string]string{
		"position": "true",
		"stream":   "stream_id = @stream",
		"task":     "task_id = @task",
		"goal":     "goal_id = @goal",
		"subject":  "subject_id = @subject",
		"course":   "course_id = @course",
	}
	all := map[string]*postgres.Statement{}
	for scope, mine := range scopes {
		for index, key := range indexes {
			for order, direction := range map[string]string{"up": "ASC", "down": "DESC"} {
				name := "events.list." + scope + "." + index + "." + order
				all[name] = postgres.SQL(name, `
	SELECT `+columns+` FROM events.events
	WHERE `+mine+` AND `+key+`
	  AND position > @after AND position <= @up_to
	  AND (@stream::text IS NULL OR stream_id = @stream)
	  AND (@task::uuid IS NULL OR task_id = @task)
	  AND (@goal::uuid IS NULL OR goal_id = @goal)
	  AND (@subject::text IS NULL OR subject_id = @subject)
	  AND (@course::text IS NULL OR course_id = @course)
	  AND (@types::text[] IS NULL OR type = ANY (@types))
	ORDER BY position `+direction+` LIMIT @limit`)
			}
		}
	}
	return all
}()

// List gives events in the order of the log.
func List(ctx context.Context, q postgres.Queryer, w Query) ([]Record, error) {
	args := postgres.Args{
		"after": w.After, "up_to": w.UpTo, "limit": w.Limit, "types": w.Types,
		"stream": w.Stream, "task": w.Task, "goal": w.Goal, "subject": w.Subject, "course": w.Course,
	}
	scope := "learner"
	switch {
	case w.For.IsSystem() || w.For.Has(auth.Admin):
		scope = "all"
	case w.For.Has(auth.Teacher):
		scope = "teacher"
		args["actor"], args["courses"] = w.For.UserID, w.For.CourseIDs
	default:
		args["actor"] = w.For.UserID
	}
	index := "position"
	switch {
	case w.Stream != nil:
		index = "stream"
	case w.Task != nil:
		index = "task"
	case w.Goal != nil:
		index = "goal"
	case w.Subject != nil:
		index = "subject"
	case w.Course != nil:
		index = "course"
	case scope == "learner": // the scope has an index of its own
	}
	order := "up"
	if w.Descending {
		order = "down"
	}
	rows, err := q.Query(ctx, lists["events.list."+scope+"."+index+"."+order], args)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	records, err := pgx.CollectRows(rows, scanRecord)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return records, nil
}

func scanRecord(row pgx.CollectableRow) (r Record, err error) {
	err = row.Scan(&r.Position, &r.ID, &r.Stream, &r.Version, &r.Type, &r.SchemaVersion,
		&r.Subject, &r.Course, &r.Data, &r.Meta, &r.OccurredAt)
	return r, err
}

var horizon = postgres.SQL("events.horizon", `SELECT events.horizon()`)

var last = postgres.SQL("events.last", `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events.events_position_seq`)

// Last is the last position that was given, settled or not.
func Last(ctx context.Context, q postgres.Queryer) (position int64, err error) {
	if err = q.QueryRow(ctx, last, postgres.Args{}).Scan(&position); err != nil {
		return 0, fmt.Errorf("read the log's last position: %w", err)
	}
	return position, nil
}

// Horizon is up to where the log is settled. It holds for statements that start
// after it, in another snapshot.
func Horizon(ctx context.Context, q postgres.Queryer) (position int64, err error) {
	if err = q.QueryRow(ctx, horizon, postgres.Args{}).Scan(&position); err != nil {
		return 0, fmt.Errorf("read the log's horizon: %w", err)
	}
	return position, nil
}
