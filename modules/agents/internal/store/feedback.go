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

const feedbackColumns = `
	r.id::text, r.agent_run_id::text, r.validation_run_id::text, r.task_id::text, r.user_id, coalesce(r.course_id, ''), r.snapshot_number,
	r.text, r.comments, r.rubric, r.label, r.dispute, r.locale, r.created_at, r.version`

var (
	getFeedback = postgres.SQL("agents.feedback.get", `
		SELECT `+feedbackColumns+` FROM agents.feedback r WHERE r.id = @id AND `+ownScope)
	feedbackOf = postgres.SQL("agents.feedback.of_run", `
		SELECT `+feedbackColumns+` FROM agents.feedback r WHERE r.validation_run_id = @id AND `+ownScope)
	lockFeedback = postgres.SQL("agents.feedback.lock", `
		SELECT `+feedbackColumns+` FROM agents.feedback r WHERE r.id = @id AND `+ownScope+` FOR UPDATE`)
	newestFeedback = postgres.SQL("agents.feedback.newest", `
		SELECT `+feedbackColumns+` FROM agents.feedback r WHERE r.task_id = @id AND `+ownScope+`
		ORDER BY r.snapshot_number DESC, r.validation_run_id DESC LIMIT 1`)
)

// GetFeedback reads feedback; nil for none.
func GetFeedback(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (*agents.Feedback, error) {
	return feedback(q.QueryRow(ctx, getFeedback, own(actor, postgres.Args{"id": id})))
}

// FeedbackOf reads the feedback on a run of the validator; nil for none.
func FeedbackOf(ctx context.Context, q postgres.Queryer, actor auth.Actor, validationRunID string) (*agents.Feedback, error) {
	return feedback(q.QueryRow(ctx, feedbackOf, own(actor, postgres.Args{"id": validationRunID})))
}

// LockFeedback reads feedback and keeps it locked; nil for none.
func LockFeedback(ctx context.Context, tx *postgres.Tx, actor auth.Actor, id string) (*agents.Feedback, error) {
	return feedback(tx.QueryRow(ctx, lockFeedback, own(actor, postgres.Args{"id": id})))
}

// NewestFeedback reads the feedback on a task's newest snapshot that has one;
// nil for none.
func NewestFeedback(ctx context.Context, q postgres.Queryer, actor auth.Actor, taskID string) (*agents.Feedback, error) {
	return feedback(q.QueryRow(ctx, newestFeedback, own(actor, postgres.Args{"id": taskID})))
}

var feedbackBefore = postgres.SQL("agents.feedback.before", `
	SELECT `+feedbackColumns+` FROM agents.feedback r WHERE r.task_id = @id AND r.snapshot_number < @number
	ORDER BY r.snapshot_number DESC, r.validation_run_id DESC LIMIT 10`)

// Earlier reads what was said about earlier snapshots, for the system.
type Earlier struct{ q postgres.Queryer }

// NewEarlier reads from the database as the system.
func NewEarlier(db *postgres.DB) Earlier { return Earlier{db.As(auth.System("agents"))} }

// Before reads the feedback on a task before a snapshot, newest first.
func (e Earlier) Before(ctx context.Context, taskID string, snapshotNumber int) ([]agents.Feedback, error) {
	rows, err := e.q.Query(ctx, feedbackBefore, postgres.Args{"id": taskID, "number": snapshotNumber})
	if err != nil {
		return nil, fmt.Errorf("list feedback on task %s: %w", taskID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (agents.Feedback, error) {
		f, err := feedback(row)
		if f == nil {
			return agents.Feedback{}, err
		}
		return *f, err
	})
}

func feedback(row pgx.Row) (*agents.Feedback, error) {
	var f agents.Feedback
	var comments, rubric []byte
	err := row.Scan(&f.ID, &f.AgentRunID, &f.ValidationRunID, &f.TaskID, &f.UserID, &f.CourseID, &f.SnapshotNumber,
		&f.Text, &comments, &rubric, &f.Label, &f.Dispute, &f.Locale, &f.CreatedAt, &f.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read feedback: %w", err)
	}
	f.CreatedAt = f.CreatedAt.UTC()
	if rubric != nil {
		if err := json.Unmarshal(rubric, &f.Rubric); err != nil {
			return nil, fmt.Errorf("read rubric of feedback %s: %w", f.ID, err)
		}
	}
	return &f, json.Unmarshal(comments, &f.Comments)
}

var insertFeedback = postgres.SQL("agents.feedback.insert", `
	INSERT INTO agents.feedback (id, agent_run_id, validation_run_id, task_id, user_id, course_id, snapshot_number,
		text, comments, rubric, label, dispute, locale, created_at, version)
	VALUES (@id, @run, @validation, @task, @user, @course, @number, @text, @comments, @rubric, @label, '', @locale, @at, @version)`)

// InsertFeedback writes new feedback; for the system.
func InsertFeedback(ctx context.Context, tx *postgres.Tx, f agents.Feedback) error {
	comments, err := json.Marshal(f.Comments)
	if err != nil {
		return fmt.Errorf("write feedback: %w", err)
	}
	rubric, err := rubricOf(f)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, insertFeedback, postgres.Args{
		"rubric": rubric, "id": f.ID, "run": f.AgentRunID, "validation": f.ValidationRunID, "task": f.TaskID, "user": f.UserID, "course": null(f.CourseID),
		"number": f.SnapshotNumber, "text": f.Text, "comments": string(comments), "label": f.Label, "locale": f.Locale,
		"at": f.CreatedAt, "version": f.Version,
	})
	return err
}

// rubricOf is the column's value; nil for none.
func rubricOf(f agents.Feedback) (any, error) {
	if f.Rubric == nil {
		return nil, nil
	}
	raw, err := json.Marshal(f.Rubric)
	if err != nil {
		return nil, fmt.Errorf("write feedback: %w", err)
	}
	return string(raw), nil
}

var (
	deleteFeedback = postgres.SQL("agents.feedback.delete_of_task", `DELETE FROM agents.feedback WHERE task_id = @id`)
	deleteMessages = postgres.SQL("agents.messages.delete_of_task", `DELETE FROM agents.messages WHERE task_id = @id`)
	deleteHints    = postgres.SQL("agents.hint.delete_of_task", `DELETE FROM agents.hints WHERE task_id = @id`)
)

// DeleteAdvice deletes feedback and hints on a task; for the system.
func DeleteAdvice(ctx context.Context, tx *postgres.Tx, taskID string) error {
	for _, s := range []*postgres.Statement{deleteFeedback, deleteHints, deleteMessages} {
		if _, err := tx.Exec(ctx, s, postgres.Args{"id": taskID}); err != nil {
			return err
		}
	}
	return nil
}
