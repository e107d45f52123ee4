// Package store keeps runs, their checkpoints, effects and queue, and what
// agents told learners, in the schema agents.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Row is a run with what only the engine needs of it.
type Row struct {
	agents.Run
	// State is a JSON object; nil where it was not read.
	State json.RawMessage
	// Numbered executions there were, of which Ended ended.
	Numbered, Ended int
	// WakeAt is zero for never.
	WakeAt time.Time
	// WakeSeconds is how long it waited last.
	WakeSeconds int
}

const header = `
	r.id::text, r.user_id, coalesce(r.course_id, ''), coalesce(r.goal_id::text, ''), coalesce(r.task_id::text, ''),
	coalesce(r.validation_run_id::text, ''), r.graph, r.graph_version, r.status, r.node, r.numbered, r.ended,
	r.waiting_for, r.question, r.wake_at, r.wake_seconds, r.message_en, r.message_es, r.label,
	r.model_calls, r.input_tokens, r.output_tokens, r.cost_micros, r.created_at, r.updated_at, r.version,
	coalesce(r.forked_from::text, ''), coalesce(r.forked_step, 0)`

// scope is who may read a run: its learner, and the team of its course.
const scope = `/*scope*/ (r.user_id = @actor OR @all::boolean OR r.course_id = ANY(@courses::text[])) /*end*/`

// ownScope is who may read feedback and hints: their learner alone.
const ownScope = `/*scope*/ (r.user_id = @actor OR @all::boolean) /*end*/`

// scoped are the arguments of scope.
func scoped(actor auth.Actor, args postgres.Args) postgres.Args {
	courses := []string{}
	if actor.Has(auth.Teacher) {
		courses = append(courses, actor.CourseIDs...)
	}
	args["actor"], args["courses"], args["all"] = actor.UserID, courses, actor.IsSystem() || actor.Has(auth.Admin)
	return args
}

// own are the arguments of ownScope.
func own(actor auth.Actor, args postgres.Args) postgres.Args {
	args["actor"], args["all"] = actor.UserID, actor.IsSystem()
	return args
}

var (
	getRun = postgres.SQL("agents.run.get", `
		SELECT `+header+`, r.state->'plan' FROM agents.runs r WHERE r.id = @id AND `+scope)
	lockRun = postgres.SQL("agents.run.lock", `
		SELECT `+header+`, r.state FROM agents.runs r WHERE r.id = @id AND `+scope+` FOR UPDATE`)
	planning = postgres.SQL("agents.run.planning", `
		SELECT `+header+`, r.state FROM agents.runs r
		WHERE r.goal_id = @goal AND r.graph = 'planner' AND r.status IN ('queued', 'running', 'waiting') AND `+scope+` FOR UPDATE`)
	toWake = postgres.SQL("agents.run.to_wake", `
		SELECT `+header+`, r.state FROM agents.runs r
		WHERE r.wake_at <= @now AND r.status = 'waiting' ORDER BY r.wake_at LIMIT 20 FOR UPDATE SKIP LOCKED`)
)

// Get reads a run with its plan, which is its State; nil for none.
func Get(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (*Row, error) {
	return one(q.QueryRow(ctx, getRun, scoped(actor, postgres.Args{"id": id})))
}

// Lock reads a run with its state and keeps it locked; nil for none.
func Lock(ctx context.Context, tx *postgres.Tx, actor auth.Actor, id string) (*Row, error) {
	return one(tx.QueryRow(ctx, lockRun, scoped(actor, postgres.Args{"id": id})))
}

// Planning locks the planner run of a goal that is not over; nil for none.
func Planning(ctx context.Context, tx *postgres.Tx, actor auth.Actor, goalID string) (*Row, error) {
	return one(tx.QueryRow(ctx, planning, scoped(actor, postgres.Args{"goal": goalID})))
}

// ToWake locks runs that should look for material again.
func ToWake(ctx context.Context, tx *postgres.Tx, now time.Time) ([]Row, error) {
	rows, err := tx.Query(ctx, toWake, postgres.Args{"now": now})
	if err != nil {
		return nil, fmt.Errorf("read runs to wake: %w", err)
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (Row, error) { return scan(r) })
}

// Key is the place of a run in a list.
type Key struct {
	At time.Time `json:"t"`
	ID string    `json:"i"`
}

var listRuns = postgres.SQL("agents.run.list", `
	SELECT `+header+`, NULL::jsonb FROM agents.runs r
	WHERE (@goal::uuid IS NULL OR r.goal_id = @goal)
	  AND CASE WHEN @course::text IS NULL THEN r.user_id = @owner ELSE r.course_id = @course END
	  AND (r.created_at, r.id) < (@at::timestamptz, @id::uuid) AND `+scope+`
	ORDER BY r.created_at DESC, r.id DESC LIMIT @n`)

// List reads runs after a key, newest first: those of the actor, or of a course
// where it is not ""; goal is "" for all.
func List(ctx context.Context, q postgres.Queryer, actor auth.Actor, goalID, courseID string, after Key, n int) ([]Row, error) {
	rows, err := q.Query(ctx, listRuns, scoped(actor, postgres.Args{
		"goal": null(goalID), "course": null(courseID), "owner": actor.UserID, "at": after.At, "id": after.ID, "n": n,
	}))
	if err != nil {
		return nil, fmt.Errorf("list agent runs: %w", err)
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (Row, error) { return scan(r) })
}

var insertRun = postgres.SQL("agents.run.insert", `
	INSERT INTO agents.runs (id, user_id, course_id, goal_id, task_id, validation_run_id, graph, graph_version, status, node,
		numbered, ended, state, waiting_for, question, wake_at, wake_seconds, message_en, message_es, label,
		model_calls, input_tokens, output_tokens, cost_micros, forked_from, forked_step, created_at, updated_at, finished_at, version)
	VALUES (@id, @user, @course, @goal, @task, @validation, @graph, @graph_version, @status, @node,
		@numbered, 0, @state, '', NULL, NULL /* wake_at */, 0, '', '', '', 0, 0, 0, 0, @forked_from, @forked_step, @at, @at, NULL, @version)
	ON CONFLICT DO NOTHING`)

// Insert writes a new run; false when one stands in its place.
func Insert(ctx context.Context, tx *postgres.Tx, r Row) (bool, error) {
	var forkedStep *int
	if r.ForkedFrom != "" {
		forkedStep = &r.ForkedStep
	}
	tag, err := tx.Exec(ctx, insertRun, postgres.Args{
		"id": r.ID, "user": r.UserID, "course": null(r.CourseID), "goal": null(r.GoalID), "task": null(r.TaskID),
		"validation": null(r.ValidationRunID), "graph": r.Graph, "graph_version": r.GraphVersion, "status": string(r.Status),
		"node": r.Node, "numbered": r.Numbered, "state": string(r.State), "forked_from": null(r.ForkedFrom), "forked_step": forkedStep,
		"at": r.CreatedAt, "version": r.Version,
	})
	if err != nil {
		return false, fmt.Errorf("insert agent run: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

var updateRun = postgres.SQL("agents.run.update", `
	UPDATE agents.runs SET status = @status, node = @node, numbered = @numbered, ended = @ended, state = @state,
		waiting_for = @waiting, question = @question, wake_at = @wake_at, wake_seconds = @wake_seconds,
		message_en = @en, message_es = @es, label = @label, updated_at = @at,
		finished_at = CASE WHEN @status::text IN ('done', 'failed', 'cancelled') THEN @at::timestamptz END, version = @version
	WHERE id = @id`)

// Update writes a run that is locked.
func Update(ctx context.Context, tx *postgres.Tx, r Row) error {
	var question, wake any
	if r.Question != nil {
		raw, err := json.Marshal(r.Question)
		if err != nil {
			return fmt.Errorf("write question: %w", err)
		}
		question = string(raw)
	}
	if !r.WakeAt.IsZero() {
		wake = r.WakeAt
	}
	_, err := tx.Exec(ctx, updateRun, postgres.Args{
		"id": r.ID, "status": string(r.Status), "node": r.Node, "numbered": r.Numbered, "ended": r.Ended, "state": string(r.State),
		"waiting": string(r.WaitingFor), "question": question, "wake_at": wake, "wake_seconds": r.WakeSeconds,
		"en": r.Message.EN, "es": r.Message.ES, "label": r.Label, "at": r.UpdatedAt, "version": r.Version,
	})
	return err
}

var (
	deleteOfGoal = postgres.SQL("agents.run.delete_of_goal", `DELETE FROM agents.runs WHERE goal_id = @id`)
	deleteOfTask = postgres.SQL("agents.run.delete_of_task", `DELETE FROM agents.runs WHERE task_id = @id`)
)

// DeleteOfGoal deletes a goal's runs with all that hangs on them; for the system.
func DeleteOfGoal(ctx context.Context, tx *postgres.Tx, goalID string) error {
	_, err := tx.Exec(ctx, deleteOfGoal, postgres.Args{"id": goalID})
	return err
}

// DeleteOfTask deletes a task's runs with all that hangs on them; for the system.
func DeleteOfTask(ctx context.Context, tx *postgres.Tx, taskID string) error {
	_, err := tx.Exec(ctx, deleteOfTask, postgres.Args{"id": taskID})
	return err
}

func one(row pgx.Row) (*Row, error) {
	r, err := scan(row)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read agent run: %w", err)
	}
	return &r, nil
}

func scan(row pgx.Row) (r Row, err error) {
	var question, state []byte
	var wake *time.Time
	if err = row.Scan(&r.ID, &r.UserID, &r.CourseID, &r.GoalID, &r.TaskID, &r.ValidationRunID, &r.Graph, &r.GraphVersion,
		&r.Status, &r.Node, &r.Numbered, &r.Ended, &r.WaitingFor, &question, &wake, &r.WakeSeconds, &r.Message.EN, &r.Message.ES, &r.Label,
		&r.Cost.ModelCalls, &r.Cost.InputTokens, &r.Cost.OutputTokens, &r.Cost.Micros, &r.CreatedAt, &r.UpdatedAt, &r.Version,
		&r.ForkedFrom, &r.ForkedStep, &state); err != nil {
		return r, err
	}
	r.CreatedAt, r.UpdatedAt, r.State = r.CreatedAt.UTC(), r.UpdatedAt.UTC(), state
	if wake != nil {
		r.WakeAt = wake.UTC()
	}
	if question != nil {
		return r, json.Unmarshal(question, &r.Question)
	}
	return r, nil
}

func null(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
