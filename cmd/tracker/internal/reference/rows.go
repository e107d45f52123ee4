package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// goalRow is a row of the reference's goals. Enums may hold what is none here.
type goalRow struct {
	ID, UserID, CourseID, Title, Description, Status, Priority string

	Progress               float64
	AIGenerated            bool
	Criteria, Metadata     json.RawMessage
	CreatedAt, UpdatedAt   time.Time
	StartedAt, CompletedAt *time.Time
	DueAt                  *time.Time

	changes changes
}

// wholeGoal is a goal with what hangs on it.
type wholeGoal struct {
	goalRow
	tasks []*wholeTask
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

	changes changes
}

// wholeTask is a task with the ids of its snapshots, oldest first.
type wholeTask struct {
	taskRow
	snapshots []string
}

// snapshotRow is a row of the reference's code_snapshots: one file.
type snapshotRow struct {
	ID, UserID, Path, Language, Content string
	// TooLarge: the code is not here.
	TooLarge         bool
	Passed           *bool
	Score            *float64
	Feedback         *string
	Issues, Metadata json.RawMessage
	StoragePath      *string
	CreatedAt        time.Time

	changes changes
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

	changes changes
}

// What a column may hold, so that one row does not fill the memory; far beyond
// what anybody writes by hand.
const (
	maxCode = 8 << 20
	maxText = 200_000
	maxJSON = 256 << 10
)

// macros of a query keep what is in a column small: $text, $json; or make it one
// that is known: $enum.
var macros = regexp.MustCompile(`\$(text|json|enum)\(([a-z_.]+)\)`)

func expand(query string) string {
	return macros.ReplaceAllStringFunc(query, func(macro string) string {
		m := macros.FindStringSubmatch(macro)
		switch kind, column := m[1], m[2]; kind {
		case "text":
			return fmt.Sprintf(`CASE WHEN length(%[1]s) > %[2]d THEN left(%[1]s, %[2]d) || ' …' ELSE %[1]s END`, column, maxText)
		case "json":
			return fmt.Sprintf(`CASE WHEN octet_length(%[1]s::text) > %[2]d THEN to_json('%[3]s' || octet_length(%[1]s::text) || ' bytes')::text ELSE %[1]s::text END`,
				column, maxJSON, leftOut)
		default:
			return fmt.Sprintf(`lower(coalesce(%s::text, ''))`, column)
		}
	})
}

// leftOut is what stands instead of a column that is too large, with its size.
const leftOut = "left out: "

var (
	goalsQuery = expand(`SELECT id, coalesce(user_id, ''), coalesce(course_id, ''), coalesce($text(title), ''), coalesce($text(description), ''), $enum(status), $enum(priority),
		coalesce(progress_percentage, 0), coalesce(ai_generated, false), $json(validation_criteria), $json(goal_metadata),
		created_at::timestamp, updated_at::timestamp, started_at::timestamp, completed_at::timestamp, due_date::timestamp
		FROM goals WHERE id > $1 ORDER BY id LIMIT $2`)
	tasksQuery = expand(`SELECT id, goal_id, coalesce(user_id, ''), coalesce($text(title), ''), coalesce($text(description), ''), $enum(task_type), $enum(status), coalesce(priority, 100),
		estimated_hours, actual_hours, $json(validation_result), coalesce($text(ai_feedback), ''), $json(task_metadata),
		created_at::timestamp, updated_at::timestamp, started_at::timestamp, completed_at::timestamp
		FROM tasks WHERE goal_id = ANY($1) ORDER BY created_at, id`)
	snapshotsQuery = expand(`SELECT id, coalesce(user_id, ''), coalesce(file_path, ''), lower(coalesce(language, '')),
		CASE WHEN octet_length(code_content) <= ` + fmt.Sprint(maxCode) + ` THEN code_content ELSE '' END,
		coalesce(octet_length(code_content), 0) > ` + fmt.Sprint(maxCode) + `,
		validation_passed, validation_score, $text(validation_feedback),
		$json(issues_found), $json(metadata), storage_path, created_at::timestamp
		FROM code_snapshots WHERE id = ANY($1) ORDER BY created_at, id`)
	eventsQuery = expand(`SELECT e.id, coalesce(e.event_type::text, ''), coalesce(e.entity_type, ''), coalesce(e.entity_id, ''),
		coalesce(nullif(e.user_id, ''), g.user_id, t.user_id, c.user_id, ''), $json(e.payload), $json(e.event_metadata), e.created_at::timestamp,
		coalesce(g.id, t.goal_id, ct.goal_id, ''), coalesce(t.id, c.task_id, '')
		FROM events e
		LEFT JOIN goals g ON lower(e.entity_type) = 'goal' AND g.id = e.entity_id
		LEFT JOIN tasks t ON lower(e.entity_type) = 'task' AND t.id = e.entity_id
		LEFT JOIN code_snapshots c ON lower(e.entity_type) IN ('code_snapshot', 'snapshot') AND c.id = e.entity_id
		LEFT JOIN tasks ct ON ct.id = c.task_id
		WHERE e.id > $1 ORDER BY e.id LIMIT $2`)
)

// goals reads a page of goals, those after an id.
func (s source) goals(ctx context.Context, after string) ([]*wholeGoal, error) {
	return read(ctx, s, func(row pgx.CollectableRow) (*wholeGoal, error) {
		var g wholeGoal
		var created, updated, started, completed, due pgtype.Timestamp
		err := row.Scan(&g.ID, &g.UserID, &g.CourseID, &g.Title, &g.Description, &g.Status, &g.Priority, &g.Progress, &g.AIGenerated,
			&g.Criteria, &g.Metadata, &created, &updated, &started, &completed, &due)
		c := &g.changes
		g.StartedAt, g.CompletedAt = c.past("started_at", started), c.past("completed_at", completed)
		g.CreatedAt, g.UpdatedAt = c.made(created, updated, g.StartedAt, g.CompletedAt)
		if due.Valid {
			if g.DueAt = &due.Time; due.InfinityModifier != pgtype.Finite || due.Time.Year() < 1 || due.Time.Year() > 9999 {
				g.DueAt = nil
				c.odd("due_date", "lies outside of the years 1 to 9999, left out", due)
			}
		}
		return &g, err
	}, goalsQuery, after, pageSize)
}

// tasks reads goals' tasks, in the order in which they were made.
func (s source) tasks(ctx context.Context, goalIDs []string) ([]taskRow, error) {
	return read(ctx, s, func(row pgx.CollectableRow) (t taskRow, err error) {
		var created, updated, started, completed pgtype.Timestamp
		err = row.Scan(&t.ID, &t.GoalID, &t.UserID, &t.Title, &t.Description, &t.Type, &t.Status, &t.Priority, &t.Estimated, &t.Actual,
			&t.Result, &t.Feedback, &t.Metadata, &created, &updated, &started, &completed)
		c := &t.changes
		t.StartedAt, t.CompletedAt = c.past("started_at", started), c.past("completed_at", completed)
		t.CreatedAt, t.UpdatedAt = c.made(created, updated, t.StartedAt, t.CompletedAt)
		return t, err
	}, tasksQuery, goalIDs)
}

func (s source) snapshots(ctx context.Context, ids []string) ([]snapshotRow, error) {
	return read(ctx, s, func(row pgx.CollectableRow) (c snapshotRow, err error) {
		var created pgtype.Timestamp
		err = row.Scan(&c.ID, &c.UserID, &c.Path, &c.Language, &c.Content, &c.TooLarge, &c.Passed, &c.Score, &c.Feedback,
			&c.Issues, &c.Metadata, &c.StoragePath, &created)
		c.CreatedAt, _ = c.changes.made(created, pgtype.Timestamp{}, nil, nil)
		return c, err
	}, snapshotsQuery, ids)
}

// events reads a page of events, those after an id.
func (s source) events(ctx context.Context, after string) ([]eventRow, error) {
	return read(ctx, s, func(row pgx.CollectableRow) (e eventRow, err error) {
		var created pgtype.Timestamp
		err = row.Scan(&e.ID, &e.Type, &e.EntityType, &e.EntityID, &e.UserID, &e.Payload, &e.Metadata, &created, &e.GoalID, &e.TaskID)
		e.CreatedAt, _ = e.changes.made(created, pgtype.Timestamp{}, nil, nil)
		return e, err
	}, eventsQuery, after, pageSize)
}
