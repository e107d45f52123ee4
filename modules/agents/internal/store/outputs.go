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

// What was told, by the id of the output; for the system, which then asks who
// may dispute it.
var (
	messageByRun = postgres.SQL("agents.messages.get", `
		SELECT r.task_id::text, r.user_id, coalesce(r.course_id, ''), r.run_id::text, r.number, r.sender, r.text, r.citations, r.looked_at,
			r.label, r.created_at
		FROM agents.messages r WHERE r.run_id = @id AND r.sender = @sender`)
	evaluationByID = postgres.SQL("agents.evaluations.by_id", `
		SELECT e.user_id, e.course_id FROM agents.evaluations e WHERE e.id = @id`)
	// A nudge's course is that of what it is about.
	nudgeByID = postgres.SQL("agents.nudges.get", `
		SELECT r.id::text, r.user_id, r.kind, coalesce(r.goal_id::text, ''), coalesce(r.task_id::text, ''),
			coalesce(j.course_id, g.course_id, ''), r.text_en, r.text_es, r.key, r.created_at
		FROM agents.nudges r LEFT JOIN agents.journeys j ON j.task_id = r.task_id LEFT JOIN agents.due_goals g ON g.goal_id = r.goal_id
		WHERE r.id = @id`)
	dueGoal = postgres.SQL("agents.due_goals.get", `
		SELECT g.goal_id::text, coalesce(g.course_id, ''), g.title, g.due_at FROM agents.due_goals g WHERE g.goal_id = @id`)
)

// MessageOf reads what one side said in a run of the tutor; nil for none.
func MessageOf(ctx context.Context, q postgres.Queryer, runID, sender string) (*agents.TutorMessage, error) {
	var m agents.TutorMessage
	var citations []byte
	err := q.QueryRow(ctx, messageByRun, postgres.Args{"id": runID, "sender": sender}).
		Scan(&m.TaskID, &m.UserID, &m.CourseID, &m.RunID, &m.Number, &m.From, &m.Text, &citations, &m.LookedAt, &m.Label, &m.CreatedAt)
	if found, err := exists(err, "message", runID); !found {
		return nil, err
	}
	return &m, json.Unmarshal(citations, &m.Citations)
}

// EvaluationByID reads an evaluation while it is the newest of its learner; nil
// for none.
func EvaluationByID(ctx context.Context, q postgres.Queryer, id string) (*agents.Evaluation, error) {
	var user, course string
	err := q.QueryRow(ctx, evaluationByID, postgres.Args{"id": id}).Scan(&user, &course)
	if found, err := exists(err, "evaluation", id); !found {
		return nil, err
	}
	e, err := Evaluation(ctx, q, auth.System("agents"), user, course)
	if err != nil || e == nil || e.ID != id {
		return nil, err
	}
	return e, nil
}

// NudgeByID reads a nudge; nil for none.
func NudgeByID(ctx context.Context, q postgres.Queryer, id string) (*agents.Nudge, error) {
	var n agents.Nudge
	err := q.QueryRow(ctx, nudgeByID, postgres.Args{"id": id}).
		Scan(&n.ID, &n.UserID, &n.Kind, &n.GoalID, &n.TaskID, &n.CourseID, &n.Text.EN, &n.Text.ES, &n.Key, &n.CreatedAt)
	if found, err := exists(err, "nudge", id); !found {
		return nil, err
	}
	n.CreatedAt = n.CreatedAt.UTC()
	return &n, nil
}

// DueGoalByID reads when a goal is to be reached; nil for none.
func DueGoalByID(ctx context.Context, q postgres.Queryer, id string) (*DueGoal, error) {
	var g DueGoal
	err := q.QueryRow(ctx, dueGoal, postgres.Args{"id": id}).Scan(&g.GoalID, &g.CourseID, &g.Title, &g.DueAt)
	if found, err := exists(err, "goal", id); !found {
		return nil, err
	}
	g.DueAt = g.DueAt.UTC()
	return &g, nil
}

func exists(err error, what, id string) (bool, error) {
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s %s: %w", what, id, err)
	}
	return true, nil
}

var markFeedback = postgres.SQL("agents.feedback.dispute", `
	UPDATE agents.feedback SET dispute = @dispute, comments = @comments, rubric = @rubric WHERE id = @id`)

// MarkFeedback writes what a dispute came to into feedback that is locked; for
// the system.
func MarkFeedback(ctx context.Context, tx *postgres.Tx, f agents.Feedback) error {
	comments, err := json.Marshal(f.Comments)
	if err != nil {
		return fmt.Errorf("write feedback: %w", err)
	}
	rubric, err := rubricOf(f)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, markFeedback, postgres.Args{"id": f.ID, "dispute": string(f.Dispute), "comments": string(comments), "rubric": rubric})
	return err
}
