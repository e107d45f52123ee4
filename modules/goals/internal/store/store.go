// Package store keeps goals and their progress in the schema goals. It writes
// only what goals.Apply and goals.ApplyProgress made.
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
)

// columns is what every read selects, in the order of scan.
const columns = `
	g.id, g.user_id, coalesce(g.course_id, ''), g.title, g.description, g.status, g.priority, g.ai_generated,
	g.validation_criteria, g.metadata, g.blocked_reason, g.course_deleted,
	g.due_at, g.started_at, g.completed_at, g.created_at, g.updated_at, g.version,
	coalesce(p.progress, 0), coalesce(p.tasks_total, 0), coalesce(p.tasks_completed, 0),
	coalesce(p.manual, false), p.updated_at, coalesce(p.version, 0)`

const from = ` FROM goals.goals g LEFT JOIN goals.goal_progress p ON p.goal_id = g.id `

// scope is who may read a goal.
const scope = `/*scope*/ (g.user_id = @actor OR g.course_id = ANY (@courses::text[]) OR @all::boolean) /*end*/`

// Scope are the arguments of a statement's scope: what the actor may read.
func Scope(actor auth.Actor, args postgres.Args) postgres.Args {
	courses := []string{}
	if actor.Has(auth.Teacher) {
		courses = append(courses, actor.CourseIDs...)
	}
	args["actor"], args["courses"], args["all"] = actor.UserID, courses, actor.IsSystem() || actor.Has(auth.Admin)
	return args
}

var get = postgres.SQL("goals.get", `SELECT `+columns+from+`WHERE g.id = @id AND `+scope)

// Get reads a goal that the actor may read; nil for none.
func Get(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (*goals.Goal, error) {
	return one(q.QueryRow(ctx, get, Scope(actor, postgres.Args{"id": id})))
}

var lock = postgres.SQL("goals.lock", `SELECT g.id FROM goals.goals g WHERE g.id = @id AND `+scope+` FOR UPDATE`)

// Lock reads a goal that the actor may read and keeps it locked; nil for none.
// It reads after it locked, in one round trip: a joined row that was read
// before the wait would be an old one.
func Lock(ctx context.Context, tx *postgres.Tx, actor auth.Actor, id string) (*goals.Goal, error) {
	var batch pgx.Batch
	for _, s := range []*postgres.Statement{lock, get} {
		values, err := s.Bind(Scope(actor, postgres.Args{"id": id}))
		if err != nil {
			return nil, err
		}
		batch.Queue(s.Numbered(), values...)
	}
	results := tx.SendBatch(ctx, &batch)
	if _, err := results.Exec(); err != nil {
		_ = results.Close()
		return nil, fmt.Errorf("lock goal: %w", err)
	}
	g, err := one(results.QueryRow())
	if closeErr := results.Close(); err == nil && closeErr != nil {
		return nil, fmt.Errorf("lock goal: %w", closeErr)
	}
	return g, err
}

var insert = postgres.SQL("goals.insert", `
	INSERT INTO goals.goals (id, user_id, course_id, title, description, status, priority, ai_generated,
		validation_criteria, metadata, blocked_reason, course_deleted,
		due_at, started_at, completed_at, created_at, updated_at, version)
	VALUES (@id, @user_id, @course_id, @title, @description, @status, @priority, @ai_generated,
		@validation_criteria, @metadata, @blocked_reason, @course_deleted,
		@due_at, @started_at, @completed_at, @created_at, @updated_at, @version)`)

var update = postgres.SQL("goals.update", `
	UPDATE goals.goals SET user_id = @user_id, course_id = @course_id, title = @title, description = @description,
		status = @status, priority = @priority, ai_generated = @ai_generated,
		validation_criteria = @validation_criteria, metadata = @metadata, blocked_reason = @blocked_reason,
		course_deleted = @course_deleted, due_at = @due_at, started_at = @started_at, completed_at = @completed_at,
		created_at = @created_at, updated_at = @updated_at, version = @version
	WHERE id = @id`)

// Insert writes a goal's first state, in the round trip of what comes next.
func Insert(tx *postgres.Tx, g goals.Goal) error {
	return tx.Later(insert, Row(g), func(err error) error { return fmt.Errorf("write goal %s: %w", g.ID, err) })
}

// Update writes a goal's next state. found is false when it has no row.
func Update(ctx context.Context, tx *postgres.Tx, g goals.Goal) (found bool, err error) {
	tag, err := tx.Exec(ctx, update, Row(g))
	return tag.RowsAffected() > 0, err
}

var remove = postgres.SQL("goals.delete", `DELETE FROM goals.goals WHERE id = @id`)

// Delete removes a goal's row.
func Delete(ctx context.Context, tx *postgres.Tx, id string) error {
	_, err := tx.Exec(ctx, remove, postgres.Args{"id": id})
	return err
}

// Row is a goal by column.
func Row(g goals.Goal) map[string]any {
	return map[string]any{
		"id": g.ID, "user_id": g.UserID, "course_id": orNull(g.CourseID), "title": g.Title, "description": g.Description,
		"status": string(g.Status), "priority": string(g.Priority), "ai_generated": g.AIGenerated,
		"validation_criteria": append([]string{}, g.Criteria...), "metadata": json.RawMessage(g.Metadata.Text()),
		"blocked_reason": g.BlockedReason, "course_deleted": g.CourseDeleted,
		"due_at": timeOrNull(g.DueAt), "started_at": timeOrNull(g.StartedAt), "completed_at": timeOrNull(g.CompletedAt),
		"created_at": g.CreatedAt, "updated_at": g.UpdatedAt, "version": g.Version,
	}
}

func one(row pgx.Row) (*goals.Goal, error) {
	g, err := scan(row)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read goal: %w", err)
	}
	return &g, nil
}

func scan(row pgx.Row) (g goals.Goal, err error) {
	var due, started, completed, progressed *time.Time
	err = row.Scan(&g.ID, &g.UserID, &g.CourseID, &g.Title, &g.Description, &g.Status, &g.Priority, &g.AIGenerated,
		&g.Criteria, (*string)(&g.Metadata), &g.BlockedReason, &g.CourseDeleted,
		&due, &started, &completed, &g.CreatedAt, &g.UpdatedAt, &g.Version,
		&g.Progress.Percent, &g.Progress.Total, &g.Progress.Completed, &g.Progress.Manual, &progressed, &g.Progress.Version)
	g.DueAt, g.StartedAt, g.CompletedAt, g.Progress.UpdatedAt = utc(due), utc(started), utc(completed), utc(progressed)
	g.CreatedAt, g.UpdatedAt = g.CreatedAt.UTC(), g.UpdatedAt.UTC()
	return g, err
}

func utc(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
