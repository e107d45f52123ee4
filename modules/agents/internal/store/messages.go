package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// Who writes a message holds the task, so the next number is free.
var insertMessage = postgres.SQL("agents.messages.insert", `
	INSERT INTO agents.messages (task_id, number, user_id, course_id, run_id, sender, text, citations, looked_at, label, created_at)
	SELECT @task::uuid, 1 + coalesce(max(m.number), 0), @user, @course, @run, @sender, @text, @citations, @looked_at, @label, @at
	FROM agents.messages m WHERE m.task_id = @task::uuid`)

// InsertMessage appends a message to a task's conversation.
func InsertMessage(ctx context.Context, tx *postgres.Tx, m agents.TutorMessage) error {
	if m.Citations == nil {
		m.Citations = []tasks.Citation{}
	}
	if m.LookedAt == nil {
		m.LookedAt = []string{}
	}
	citations, err := json.Marshal(m.Citations)
	if err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	_, err = tx.Exec(ctx, insertMessage, postgres.Args{
		"task": m.TaskID, "user": m.UserID, "course": null(m.CourseID), "run": m.RunID, "sender": m.From, "text": m.Text,
		"citations": string(citations), "looked_at": m.LookedAt, "label": m.Label, "at": m.CreatedAt,
	})
	return err
}

var listMessages = postgres.SQL("agents.messages.list", `
	SELECT r.task_id::text, r.user_id, coalesce(r.course_id, ''), r.run_id::text, r.number, r.sender, r.text, r.citations, r.looked_at,
		r.label, r.created_at, CASE r.sender WHEN 'tutor' THEN agents.standing('message', r.run_id) ELSE '' END
	FROM agents.messages r WHERE r.task_id = @task AND `+ownScope+` ORDER BY r.number DESC LIMIT @size`)

// Messages are the newest of a task, oldest first.
func Messages(ctx context.Context, q postgres.Queryer, actor auth.Actor, taskID string, size int) ([]agents.TutorMessage, error) {
	rows, err := q.Query(ctx, listMessages, own(actor, postgres.Args{"task": taskID, "size": size}))
	if err != nil {
		return nil, fmt.Errorf("list messages on task %s: %w", taskID, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m agents.TutorMessage, err error) {
		var citations []byte
		if err = row.Scan(&m.TaskID, &m.UserID, &m.CourseID, &m.RunID, &m.Number, &m.From, &m.Text, &citations, &m.LookedAt,
			&m.Label, &m.CreatedAt, &m.Dispute); err != nil {
			return m, err
		}
		m.CreatedAt = m.CreatedAt.UTC()
		return m, json.Unmarshal(citations, &m.Citations)
	})
	slices.Reverse(all)
	return all, err
}

// Talks reads conversations for the system.
type Talks struct{ q postgres.Queryer }

// NewTalks reads from the database as the system.
func NewTalks(db *postgres.DB) Talks { return Talks{db.As(auth.System("agents"))} }

// Messages are the newest of a task, oldest first, without what was withdrawn:
// nobody builds on that.
func (t Talks) Messages(ctx context.Context, taskID string, size int) ([]agents.TutorMessage, error) {
	all, err := Messages(ctx, t.q, auth.System("agents"), taskID, size)
	return slices.DeleteFunc(all, func(m agents.TutorMessage) bool { return m.Dispute == agents.DisputeWithdrawn }), err
}
