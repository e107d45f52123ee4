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

const disputeColumns = `
	r.id::text, r.kind, r.output_id::text, r.part, r.user_id, coalesce(r.course_id, ''), coalesce(r.goal_id::text, ''),
	coalesce(r.task_id::text, ''), r.by_role, r.reason, r.said, r.status, r.settled_by, r.reasons, r.correction, r.run_id::text,
	r.created_at, r.settled_at, r.version`

var (
	getDispute = postgres.SQL("agents.dispute.get", `
		SELECT `+disputeColumns+` FROM agents.disputes r WHERE r.id = @id AND `+scope)
	lockDispute = postgres.SQL("agents.dispute.lock", `
		SELECT `+disputeColumns+` FROM agents.disputes r WHERE r.id = @id AND `+scope+` FOR UPDATE`)
	standingDispute = postgres.SQL("agents.dispute.standing", `
		SELECT `+disputeColumns+` FROM agents.disputes r
		WHERE r.kind = @kind AND r.output_id = @output AND (
			r.part = @part AND (r.status = 'withdrawn' OR r.status = 'open' AND r.by_key = @key)
			OR r.part IN ('', @part) AND r.settled_by = 'teacher' AND r.status IN ('upheld', 'corrected')
			OR r.part = @part AND r.by_key = @key AND @most <= (
				SELECT count(*) FROM agents.disputes o
				WHERE o.kind = @kind AND o.output_id = @output AND o.part = @part AND o.by_key = @key AND o.created_at > @since)
		) AND `+scope+`
		ORDER BY r.status = 'open' DESC, r.settled_at DESC, r.id DESC LIMIT 1 FOR UPDATE`)
	disputeRuns = postgres.SQL("agents.dispute.runs", `
		SELECT r.id::text FROM agents.runs r
		WHERE r.user_id = @user AND r.graph = 'dispute' AND r.state->>'dispute' = @dispute AND r.created_at > @since AND `+scope)
	listDisputes = postgres.SQL("agents.dispute.list", `
		SELECT `+disputeColumns+` FROM agents.disputes r
		WHERE CASE WHEN @course::text IS NULL THEN r.user_id = @owner ELSE r.course_id = @course END
		  AND (@status::text IS NULL OR r.status = @status)
		  AND (r.created_at, r.id) < (@at::timestamptz, @id::uuid) AND `+scope+`
		ORDER BY r.created_at DESC, r.id DESC LIMIT @n`)
	settledDisputes = postgres.SQL("agents.dispute.settled", `
		SELECT `+disputeColumns+` FROM agents.disputes r WHERE r.status <> 'open' AND r.id > @after ORDER BY r.id LIMIT @n`)
	disputesOf = postgres.SQL("agents.dispute.of_output", `
		SELECT `+disputeColumns+` FROM agents.disputes r WHERE r.kind = @kind AND r.output_id = @output AND `+scope+`
		ORDER BY r.settled_at NULLS FIRST, r.id`)
)

// GetDispute reads a dispute; nil for none.
func GetDispute(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (*agents.DisputeRecord, error) {
	return oneDispute(q.QueryRow(ctx, getDispute, scoped(actor, postgres.Args{"id": id})))
}

// LockDispute reads a dispute and keeps it locked; nil for none.
func LockDispute(ctx context.Context, tx *postgres.Tx, actor auth.Actor, id string) (*agents.DisputeRecord, error) {
	return oneDispute(tx.QueryRow(ctx, lockDispute, scoped(actor, postgres.Args{"id": id})))
}

// StandingDispute locks the dispute of an output that stands in the way of
// another: the open one that its person has; the one by which it was withdrawn,
// or by which a teacher said that it holds, of it or of the whole; the last of a
// person who had it looked at so often since a time. Nil for none.
func StandingDispute(ctx context.Context, tx *postgres.Tx, r agents.DisputeRequest, key string, most int, since time.Time) (*agents.DisputeRecord, error) {
	return oneDispute(tx.QueryRow(ctx, standingDispute, scoped(tx.Actor(), postgres.Args{
		"kind": string(r.Kind), "output": r.OutputID, "part": r.Part, "key": key, "most": most, "since": since,
	})))
}

// DisputeRuns counts the runs that began to look at a dispute since a time.
func DisputeRuns(ctx context.Context, tx *postgres.Tx, d agents.DisputeRecord, since time.Time) (n int, err error) {
	args := scoped(tx.Actor(), postgres.Args{"user": d.UserID, "dispute": d.ID, "since": since})
	rows, err := tx.Query(ctx, disputeRuns, args)
	if err != nil {
		return 0, fmt.Errorf("count runs of dispute %s: %w", d.ID, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, fmt.Errorf("count runs of dispute %s: %w", d.ID, err)
	}
	return len(ids), nil
}

// Disputes reads disputes after a key, newest first: those of what the actor was
// told, or of a course where it is not "".
func Disputes(ctx context.Context, q postgres.Queryer, actor auth.Actor, courseID string, status agents.Dispute, after Key, n int) ([]agents.DisputeRecord, error) {
	rows, err := q.Query(ctx, listDisputes, scoped(actor, postgres.Args{
		"course": null(courseID), "owner": actor.UserID, "status": null(string(status)), "at": after.At, "id": after.ID, "n": n,
	}))
	return disputes(rows, err)
}

// SettledDisputes reads settled ones after an id, in the order of ids; for the
// system.
func SettledDisputes(ctx context.Context, q postgres.Queryer, after string, n int) ([]agents.DisputeRecord, error) {
	rows, err := q.Query(ctx, settledDisputes, postgres.Args{"after": after, "n": n})
	return disputes(rows, err)
}

// DisputesOf reads an output's disputes: the open ones, then the settled ones in
// the order in which they were settled.
func DisputesOf(ctx context.Context, q postgres.Queryer, actor auth.Actor, kind agents.OutputKind, id string) ([]agents.DisputeRecord, error) {
	rows, err := q.Query(ctx, disputesOf, scoped(actor, postgres.Args{"kind": string(kind), "output": id}))
	return disputes(rows, err)
}

func disputes(rows pgx.Rows, err error) ([]agents.DisputeRecord, error) {
	if err != nil {
		return nil, fmt.Errorf("list disputes: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (agents.DisputeRecord, error) { return scanDispute(row) })
}

func oneDispute(row pgx.Row) (*agents.DisputeRecord, error) {
	d, err := scanDispute(row)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read dispute: %w", err)
	}
	return &d, nil
}

func scanDispute(row pgx.Row) (d agents.DisputeRecord, err error) {
	var said, reasons []byte
	var settled *time.Time
	if err = row.Scan(&d.ID, &d.Kind, &d.OutputID, &d.Part, &d.UserID, &d.CourseID, &d.GoalID, &d.TaskID, &d.By, &d.Reason, &said,
		&d.Status, &d.SettledBy, &reasons, &d.Correction, &d.RunID, &d.CreatedAt, &settled, &d.Version); err != nil {
		return d, err
	}
	d.CreatedAt, d.SettledAt = d.CreatedAt.UTC(), orZero(settled)
	return d, errors.Join(json.Unmarshal(said, &d.Said), json.Unmarshal(reasons, &d.Reasons)) //nolint:musttag // our own rows, by the names of their fields
}

var insertDispute = postgres.SQL("agents.dispute.insert", `
	INSERT INTO agents.disputes (id, kind, output_id, part, user_id, course_id, goal_id, task_id, by_role, by_key, reason, said, status,
		settled_by, reasons, correction, run_id, created_at, settled_at, version)
	VALUES (@id, @kind, @output, @part, @user, @course, @goal, @task, @by, @key, @reason, @said, 'open', '', '[]', '', @run, @at,
		NULL /* settled_at */, @version)
	ON CONFLICT DO NOTHING`)

// InsertDispute writes a new dispute; false when its person has one open.
func InsertDispute(ctx context.Context, tx *postgres.Tx, d agents.DisputeRecord, key string) (bool, error) {
	said, err := json.Marshal(d.Said) //nolint:musttag // as scanDispute reads it
	if err != nil {
		return false, fmt.Errorf("write dispute: %w", err)
	}
	tag, err := tx.Exec(ctx, insertDispute, postgres.Args{
		"id": d.ID, "kind": string(d.Kind), "output": d.OutputID, "part": d.Part, "user": d.UserID, "course": null(d.CourseID),
		"goal": null(d.GoalID), "task": null(d.TaskID), "by": d.By, "key": key, "reason": d.Reason, "said": string(said),
		"run": d.RunID, "at": d.CreatedAt, "version": d.Version,
	})
	return err == nil && tag.RowsAffected() == 1, err
}

var updateDispute = postgres.SQL("agents.dispute.update", `
	UPDATE agents.disputes SET status = @status, settled_by = @by, reasons = @reasons, correction = @correction, run_id = @run,
		settled_at = @at, version = @version WHERE id = @id`)

// UpdateDispute writes a dispute that is locked.
func UpdateDispute(ctx context.Context, tx *postgres.Tx, d agents.DisputeRecord) error {
	if d.Reasons == nil {
		d.Reasons = []agents.DisputeReason{}
	}
	reasons, err := json.Marshal(d.Reasons)
	if err != nil {
		return fmt.Errorf("write dispute: %w", err)
	}
	var settled *time.Time
	if !d.SettledAt.IsZero() {
		settled = &d.SettledAt
	}
	_, err = tx.Exec(ctx, updateDispute, postgres.Args{
		"id": d.ID, "status": string(d.Status), "by": d.SettledBy, "reasons": string(reasons), "correction": d.Correction,
		"run": d.RunID, "at": settled, "version": d.Version,
	})
	return err
}

var (
	deleteDisputesOfTask = postgres.SQL("agents.dispute.delete_of_task", `DELETE FROM agents.disputes WHERE task_id = @id`)
	deleteDisputesOfGoal = postgres.SQL("agents.dispute.delete_of_goal", `DELETE FROM agents.disputes WHERE goal_id = @id`)
)

// DeleteDisputes deletes those about a goal or a task, "" for none; for the
// system.
func DeleteDisputes(ctx context.Context, tx *postgres.Tx, goalID, taskID string) error {
	if goalID != "" {
		if _, err := tx.Exec(ctx, deleteDisputesOfGoal, postgres.Args{"id": goalID}); err != nil {
			return err
		}
	}
	if taskID == "" {
		return nil
	}
	_, err := tx.Exec(ctx, deleteDisputesOfTask, postgres.Args{"id": taskID})
	return err
}
