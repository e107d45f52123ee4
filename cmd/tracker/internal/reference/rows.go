package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// goalRow is a row of the reference's goals.
type goalRow struct {
	ID, UserID, CourseID, Title, Description, Status, Priority string

	Progress               float64
	AIGenerated            bool
	Criteria, Metadata     json.RawMessage
	CreatedAt, UpdatedAt   time.Time
	StartedAt, CompletedAt *time.Time
	DueAt                  *time.Time
}

// taskRow is a row of the reference's tasks.
type taskRow struct {
	ID, GoalID, UserID, Title, Description, Type, Status string

	Priority               int
	Estimated, Actual      *float64
	Result, Metadata       json.RawMessage
	Feedback               string
	CreatedAt, UpdatedAt   time.Time
	StartedAt, CompletedAt *time.Time
}

// snapshotRow is a row of the reference's code_snapshots: one file.
type snapshotRow struct {
	ID, UserID, Path, Language, Content string
	// TaskID is "" for code that belongs to no task.
	TaskID      string
	Passed      *bool
	Score       *float64
	Feedback    *string
	Issues      json.RawMessage
	Metadata    json.RawMessage
	StoragePath *string
	CreatedAt   time.Time
}

// eventRow is a row of the reference's events.
type eventRow struct {
	ID, Type, EntityType, EntityID string
	// UserID is whose it is: the event's own, else that of what it is about; "" when
	// neither says.
	UserID            string
	Payload, Metadata json.RawMessage
	CreatedAt         time.Time
	// GoalID and TaskID are what it is about, as far as that is a goal or a task.
	GoalID, TaskID string
}

// source reads the reference's database in one read-only snapshot of it.
type source struct{ tx pgx.Tx }

// openSource connects and begins; call close.
func openSource(ctx context.Context, url string) (s source, done func(), err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return source{}, nil, fmt.Errorf("reach the database to import from: %w", err)
	}
	done = func() { _ = conn.Close(context.WithoutCancel(ctx)) }
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		done()
		return source{}, nil, fmt.Errorf("begin to read: %w", err)
	}
	s = source{tx: tx}
	if err := s.check(ctx); err != nil {
		done()
		return source{}, nil, err
	}
	return s, done, nil
}

// check is an error when this is no database of the reference.
func (s source) check(ctx context.Context) error {
	for _, table := range []string{"goals", "tasks", "code_snapshots", "events", "embeddings"} {
		var there bool
		if err := s.tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&there); err != nil {
			return fmt.Errorf("look for table %s: %w", table, err)
		}
		if !there {
			return fmt.Errorf("the database to import from has no table %s: it is none of the reference system, or the login sees another schema", table)
		}
	}
	return nil
}

// count is how many rows a query has.
func (s source) count(ctx context.Context, query string) (n int, err error) {
	if err := s.tx.QueryRow(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("count what there is: %w", err)
	}
	return n, nil
}

const pageSize = 200

// goals reads a page of goals, those after an id.
func (s source) goals(ctx context.Context, after string) ([]goalRow, error) {
	return read(ctx, s, func(row pgx.Row) (g goalRow, err error) {
		err = row.Scan(&g.ID, &g.UserID, &g.CourseID, &g.Title, &g.Description, &g.Status, &g.Priority, &g.Progress, &g.AIGenerated,
			&g.Criteria, &g.Metadata, &g.CreatedAt, &g.UpdatedAt, &g.StartedAt, &g.CompletedAt, &g.DueAt)
		return g, err
	}, `SELECT id, user_id, coalesce(course_id, ''), title, coalesce(description, ''), lower(status::text), lower(priority::text),
		coalesce(progress_percentage, 0), coalesce(ai_generated, false), validation_criteria::json, goal_metadata::json,
		created_at, coalesce(updated_at, created_at), started_at, completed_at, due_date
		FROM goals WHERE id > $1 ORDER BY id LIMIT $2`, after, pageSize)
}

// tasks reads a goal's tasks, in the order in which they were made.
func (s source) tasks(ctx context.Context, goalID string) ([]taskRow, error) {
	return read(ctx, s, func(row pgx.Row) (t taskRow, err error) {
		err = row.Scan(&t.ID, &t.GoalID, &t.UserID, &t.Title, &t.Description, &t.Type, &t.Status, &t.Priority, &t.Estimated, &t.Actual,
			&t.Result, &t.Feedback, &t.Metadata, &t.CreatedAt, &t.UpdatedAt, &t.StartedAt, &t.CompletedAt)
		return t, err
	}, `SELECT id, goal_id, user_id, title, coalesce(description, ''), lower(task_type::text), lower(status::text), coalesce(priority, 100),
		estimated_hours, actual_hours, validation_result::json, coalesce(ai_feedback, ''), task_metadata::json,
		created_at, coalesce(updated_at, created_at), started_at, completed_at
		FROM tasks WHERE goal_id = $1 ORDER BY created_at, id`, goalID)
}

// snapshots reads a task's snapshots, oldest first; without a task those of none.
func (s source) snapshots(ctx context.Context, taskID string) ([]snapshotRow, error) {
	return read(ctx, s, func(row pgx.Row) (c snapshotRow, err error) {
		err = row.Scan(&c.ID, &c.UserID, &c.Path, &c.Language, &c.Content, &c.TaskID, &c.Passed, &c.Score, &c.Feedback,
			&c.Issues, &c.Metadata, &c.StoragePath, &c.CreatedAt)
		return c, err
	}, `SELECT id, user_id, file_path, lower(coalesce(language, '')), coalesce(code_content, ''), coalesce(task_id, ''),
		validation_passed, validation_score, validation_feedback, issues_found::json, metadata::json, storage_path, created_at
		FROM code_snapshots WHERE task_id = $1 ORDER BY created_at, id`, taskID)
}

// events reads a page of events, those after an id.
func (s source) events(ctx context.Context, after string) ([]eventRow, error) {
	return read(ctx, s, func(row pgx.Row) (e eventRow, err error) {
		err = row.Scan(&e.ID, &e.Type, &e.EntityType, &e.EntityID, &e.UserID, &e.Payload, &e.Metadata, &e.CreatedAt, &e.GoalID, &e.TaskID)
		return e, err
	}, `SELECT e.id, e.event_type::text, coalesce(e.entity_type, ''), coalesce(e.entity_id, ''),
		coalesce(e.user_id, g.user_id, t.user_id, c.user_id, ''), e.payload::json, e.event_metadata::json, e.created_at,
		coalesce(g.id, t.goal_id, ct.goal_id, ''), coalesce(t.id, c.task_id, '')
		FROM events e
		LEFT JOIN goals g ON lower(e.entity_type) = 'goal' AND g.id = e.entity_id
		LEFT JOIN tasks t ON lower(e.entity_type) = 'task' AND t.id = e.entity_id
		LEFT JOIN code_snapshots c ON lower(e.entity_type) IN ('code_snapshot', 'snapshot') AND c.id = e.entity_id
		LEFT JOIN tasks ct ON ct.id = c.task_id
		WHERE e.id > $1 ORDER BY e.id LIMIT $2`, after, pageSize)
}

func read[T any](ctx context.Context, s source, scan func(pgx.Row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := s.tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read what to import: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) { return scan(row) })
	if err != nil {
		return nil, fmt.Errorf("read what to import: %w", err)
	}
	return all, nil
}
