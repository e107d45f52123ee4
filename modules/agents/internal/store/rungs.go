package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

const rungColumns = `
	r.id::text, r.task_id::text, r.user_id, coalesce(r.course_id, ''), r.level, r.text, r.citations, r.label, r.looked_at, r.created_at,
	agents.standing('hint', r.id)`

var (
	getHint = postgres.SQL("agents.hint.get", `
		SELECT `+rungColumns+` FROM agents.hints r WHERE r.id = @id AND `+ownScope)
	hintsOf = postgres.SQL("agents.hint.of_task", `
		SELECT `+rungColumns+` FROM agents.hints r WHERE r.task_id = @task ORDER BY r.number DESC LIMIT @size`)
	hinting = postgres.SQL("agents.run.hinting", `
		SELECT `+header+`, r.state FROM agents.runs r
		WHERE r.task_id = @task AND r.graph = 'hint' AND r.status IN ('queued', 'running', 'waiting') AND `+scope+` FOR UPDATE`)
)

// GetHint reads a hint; nil for none.
func GetHint(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (*agents.Hint, error) {
	h, err := scanHint(q.QueryRow(ctx, getHint, own(actor, postgres.Args{"id": id})))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read hint %s: %w", id, err)
	}
	return &h, nil
}

// Hinting locks the run that writes a hint on a task; nil for none.
func Hinting(ctx context.Context, tx *postgres.Tx, actor auth.Actor, taskID string) (*Row, error) {
	return one(tx.QueryRow(ctx, hinting, scoped(actor, postgres.Args{"task": taskID})))
}

// Rungs reads hints for the system.
type Rungs struct{ q postgres.Queryer }

// NewRungs reads from the database as the system.
func NewRungs(db *postgres.DB) Rungs { return Rungs{db.As(auth.System("agents"))} }

// Hints are the newest of a task, oldest first.
func (r Rungs) Hints(ctx context.Context, taskID string, size int) ([]agents.Hint, error) {
	rows, err := r.q.Query(ctx, hintsOf, postgres.Args{"task": taskID, "size": size})
	if err != nil {
		return nil, fmt.Errorf("list hints of task %s: %w", taskID, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (agents.Hint, error) { return scanHint(row) })
	slices.Reverse(all)
	return all, err
}

func scanHint(row pgx.Row) (h agents.Hint, err error) {
	var citations []byte
	if err = row.Scan(&h.ID, &h.TaskID, &h.UserID, &h.CourseID, &h.Level, &h.Text, &citations, &h.Label, &h.LookedAt, &h.CreatedAt, &h.Dispute); err != nil {
		return h, err
	}
	h.CreatedAt = h.CreatedAt.UTC()
	return h, json.Unmarshal(citations, &h.Citations)
}
