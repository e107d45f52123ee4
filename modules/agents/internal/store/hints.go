package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var lastHint = postgres.SQL("agents.hint.last", `
	SELECT r.id::text, r.task_id::text, r.user_id, coalesce(r.course_id, ''), r.number, r.level, r.text, r.citations, r.label, r.looked_at, r.created_at,
		agents.standing('hint', r.id)
	FROM agents.hints r WHERE r.task_id = @task AND `+ownScope+` ORDER BY r.number DESC LIMIT 1`)

// LastHint reads a task's newest hint and its number; nil and 0 for none.
func LastHint(ctx context.Context, q postgres.Queryer, actor auth.Actor, taskID string) (*agents.Hint, int, error) {
	var h agents.Hint
	var number int
	var citations []byte
	err := q.QueryRow(ctx, lastHint, own(actor, postgres.Args{"task": taskID})).
		Scan(&h.ID, &h.TaskID, &h.UserID, &h.CourseID, &number, &h.Level, &h.Text, &citations, &h.Label, &h.LookedAt, &h.CreatedAt, &h.Dispute)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read hints of task %s: %w", taskID, err)
	}
	h.CreatedAt = h.CreatedAt.UTC()
	return &h, number, json.Unmarshal(citations, &h.Citations)
}

var insertHint = postgres.SQL("agents.hint.insert", `
	INSERT INTO agents.hints (id, task_id, user_id, course_id, number, level, text, citations, label, looked_at, created_at)
	VALUES (@id, @task, @user, @course, @number, @level, @text, @citations, @label, @looked_at, @at)
	ON CONFLICT (task_id, number) DO NOTHING`)

// InsertHint writes the n-th hint of a task; false when there is one already.
func InsertHint(ctx context.Context, tx *postgres.Tx, h agents.Hint, number int) (bool, error) {
	citations, err := json.Marshal(h.Citations)
	if err != nil {
		return false, fmt.Errorf("write hint: %w", err)
	}
	tag, err := tx.Exec(ctx, insertHint, postgres.Args{
		"id": h.ID, "task": h.TaskID, "user": h.UserID, "course": null(h.CourseID), "number": number, "level": h.Level, "text": h.Text,
		"citations": string(citations), "label": h.Label, "looked_at": h.LookedAt, "at": h.CreatedAt,
	})
	return err == nil && tag.RowsAffected() == 1, err
}
