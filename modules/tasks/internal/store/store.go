// Package store keeps tasks and their files in the schema tasks. Of tasks it
// writes only what tasks.Apply made.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// columns is what every read selects, in the order of scan.
const columns = `
	t.id, t.goal_id, t.user_id, coalesce(t.course_id, ''), t.title, t.description, t.type, t.status, t.position,
	t.estimated_hours, t.actual_hours, t.depends_on::text[], t.concepts, coalesce(t.language, ''),
	t.validation, t.citations, t.validation_result, coalesce(t.ai_feedback, ''), coalesce(t.completed_by, ''), t.metadata,
	coalesce(t.snapshot_id::text, ''), t.snapshot_number, coalesce(t.resume_status, ''),
	t.started_at, t.completed_at, t.created_at, t.updated_at, t.version`

// scope is who may read a task.
const scope = `/*scope*/ (t.user_id = @actor OR t.course_id = ANY (@courses::text[]) OR @all::boolean) /*end*/`

// Scope are the arguments of a statement's scope: what the actor may read.
func Scope(actor auth.Actor, args postgres.Args) postgres.Args {
	courses := []string{}
	if actor.Has(auth.Teacher) {
		courses = append(courses, actor.CourseIDs...)
	}
	args["actor"], args["courses"], args["all"] = actor.UserID, courses, actor.IsSystem() || actor.Has(auth.Admin)
	return args
}

var (
	get  = postgres.SQL("tasks.get", `SELECT `+columns+` FROM tasks.tasks t WHERE t.id = @id AND `+scope)
	lock = postgres.SQL("tasks.lock", `SELECT `+columns+` FROM tasks.tasks t WHERE t.id = @id AND `+scope+` FOR UPDATE`)
)

// Get reads a task that the actor may read; nil for none.
func Get(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (*tasks.Task, error) {
	return one(q.QueryRow(ctx, get, Scope(actor, postgres.Args{"id": id})))
}

// Lock reads a task that the actor may read and keeps it locked; nil for none.
func Lock(ctx context.Context, tx *postgres.Tx, actor auth.Actor, id string) (*tasks.Task, error) {
	return one(tx.QueryRow(ctx, lock, Scope(actor, postgres.Args{"id": id})))
}

var lockOfGoal = postgres.SQL("tasks.lock_of_goal", `
	SELECT `+columns+` FROM tasks.tasks t WHERE t.goal_id = @goal AND `+scope+` ORDER BY t.position, t.id FOR UPDATE`)

// LockOfGoal reads and locks all tasks of a goal.
func LockOfGoal(ctx context.Context, tx *postgres.Tx, actor auth.Actor, goalID string) ([]tasks.Task, error) {
	rows, err := tx.Query(ctx, lockOfGoal, Scope(actor, postgres.Args{"goal": goalID}))
	return collect(rows, err)
}

var siblings = postgres.SQL("tasks.siblings", `
	SELECT t.id, t.title, t.position, t.status, t.depends_on::text[]
	FROM tasks.tasks t WHERE t.goal_id = @goal AND `+scope+` ORDER BY t.position, t.id`)

// Siblings reads of a goal's tasks what decisions on one of them need: id,
// title, position, status, dependencies.
func Siblings(ctx context.Context, tx *postgres.Tx, actor auth.Actor, goalID string) ([]tasks.Task, error) {
	rows, err := tx.Query(ctx, siblings, Scope(actor, postgres.Args{"goal": goalID}))
	if err != nil {
		return nil, fmt.Errorf("read tasks of goal %s: %w", goalID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t tasks.Task, err error) {
		err = row.Scan(&t.ID, &t.Title, &t.Position, &t.Status, &t.DependsOn)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("read tasks of goal %s: %w", goalID, err)
	}
	return list, nil
}

var count = postgres.SQL("tasks.count", `
	SELECT count(*) FILTER (WHERE t.status <> 'skipped'), count(*) FILTER (WHERE t.status = 'completed'),
	       coalesce(bool_or(t.status NOT IN ('todo', 'skipped')), false)
	FROM tasks.tasks t WHERE t.goal_id = @goal`)

// Count says where a goal's tasks stand; for the system.
func Count(ctx context.Context, tx *postgres.Tx, goalID string) (n goals.TaskNews, err error) {
	err = tx.QueryRow(ctx, count, postgres.Args{"goal": goalID}).Scan(&n.Total, &n.Completed, &n.Begun)
	if err != nil {
		return n, fmt.Errorf("count tasks of goal %s: %w", goalID, err)
	}
	return n, nil
}

func one(row pgx.Row) (*tasks.Task, error) {
	t, err := scan(row)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read task: %w", err)
	}
	return &t, nil
}

func collect(rows pgx.Rows, err error) ([]tasks.Task, error) {
	if err != nil {
		return nil, fmt.Errorf("read tasks: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (tasks.Task, error) { return scan(row) })
	if err != nil {
		return nil, fmt.Errorf("read tasks: %w", err)
	}
	return list, nil
}

func scan(row pgx.Row) (t tasks.Task, err error) {
	var validation, citations, result []byte
	var started, completed *time.Time
	if err = row.Scan(&t.ID, &t.GoalID, &t.UserID, &t.CourseID, &t.Title, &t.Description, &t.Type, &t.Status, &t.Position,
		&t.EstimatedHours, &t.ActualHours, &t.DependsOn, &t.Concepts, &t.Language,
		&validation, &citations, &result, &t.Feedback, &t.CompletedBy, (*string)(&t.Metadata),
		&t.SnapshotID, &t.SnapshotNumber, &t.Resume,
		&started, &completed, &t.CreatedAt, &t.UpdatedAt, &t.Version); err != nil {
		return t, err
	}
	t.StartedAt, t.CompletedAt, t.CreatedAt, t.UpdatedAt = utc(started), utc(completed), t.CreatedAt.UTC(), t.UpdatedAt.UTC()
	return t, errors.Join(decode(validation, &t.Validation), decode(citations, &t.Citations), decode(result, &t.Result))
}

func decode(data []byte, into any) error {
	if data == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}

func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
