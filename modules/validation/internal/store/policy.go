package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
)

const policyColumns = `p.weight, p.max_parallel, p.max_pending, p.required_integrity, p.updated_at, coalesce(a.user_id, '')
	FROM validation.course_policies p LEFT JOIN validation.policy_authors a ON a.course_id = p.course_id`

var getPolicy = postgres.SQL("validation.policies.get", `SELECT `+policyColumns+` WHERE p.course_id = @course`)

var lockPolicy = postgres.SQL("validation.policies.lock", `SELECT `+policyColumns+` WHERE p.course_id = @course FOR UPDATE OF p`)

// Policy is a course's, or the defaults. Who may read it is for the caller to
// say: it holds nothing of a learner.
func Policy(ctx context.Context, q postgres.Queryer, courseID string) (validation.Policy, error) {
	return policy(ctx, q, getPolicy, courseID)
}

// LockPolicy is Policy and keeps others from changing it.
func LockPolicy(ctx context.Context, tx *postgres.Tx, courseID string) (validation.Policy, error) {
	return policy(ctx, tx, lockPolicy, courseID)
}

func policy(ctx context.Context, q postgres.Queryer, s *postgres.Statement, courseID string) (validation.Policy, error) {
	p := validation.DefaultPolicy(courseID)
	err := q.QueryRow(ctx, s, postgres.Args{"course": courseID}).Scan(
		&p.Weight, &p.MaxParallel, &p.MaxPending, &p.RequiredIntegrity, &p.UpdatedAt, &p.UpdatedBy)
	if errors.Is(err, pgx.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("load policy of course %s: %w", courseID, err)
	}
	p.UpdatedAt = p.UpdatedAt.UTC()
	return p, nil
}

var putPolicy = []*postgres.Statement{
	postgres.SQL("validation.policies.put", `
		INSERT INTO validation.course_policies (course_id, weight, max_parallel, max_pending, required_integrity, updated_at)
		VALUES (@course, @weight, @parallel, @pending, @integrity, @at)
		ON CONFLICT (course_id) DO UPDATE SET weight = excluded.weight, max_parallel = excluded.max_parallel,
			max_pending = excluded.max_pending, required_integrity = excluded.required_integrity, updated_at = excluded.updated_at`),
	postgres.SQL("validation.policies.sign", `
		INSERT INTO validation.policy_authors (course_id, user_id, updated_at) VALUES (@course, @user, @at)
		ON CONFLICT (course_id) DO UPDATE SET user_id = excluded.user_id, updated_at = excluded.updated_at`),
}

// PutPolicy writes a policy and who changed it.
func PutPolicy(ctx context.Context, tx *postgres.Tx, p validation.Policy) error {
	args := []postgres.Args{
		{"course": p.CourseID, "weight": p.Weight, "parallel": p.MaxParallel, "pending": p.MaxPending, "integrity": string(p.RequiredIntegrity), "at": p.UpdatedAt},
		{"course": p.CourseID, "user": p.UpdatedBy, "at": p.UpdatedAt},
	}
	for i, s := range putPolicy {
		if _, err := tx.Exec(ctx, s, args[i]); err != nil {
			return fmt.Errorf("write policy of course %s: %w", p.CourseID, err)
		}
	}
	return nil
}

var countCourse = postgres.SQL("validation.queue.of_course", `
	SELECT count(*) FILTER (WHERE q.lease_token IS NULL), count(*) FILTER (WHERE q.lease_token IS NOT NULL)
	FROM validation.queue q WHERE q.course_id = @course`)

// CountCourse counts a course's runs that wait, and that are being judged.
func CountCourse(ctx context.Context, q postgres.Queryer, courseID string) (waiting, running int, err error) {
	err = q.QueryRow(ctx, countCourse, postgres.Args{"course": courseID}).Scan(&waiting, &running)
	return waiting, running, err
}

var broken = postgres.SQL("validation.runs.broken", `
	SELECT r.task_id, r.id, r.finished_at FROM validation.runs r
	WHERE r.course_id = @course AND r.task_problem AND `+runScope+`
		-- Only what the task's newest run says.
		AND NOT EXISTS (SELECT FROM validation.runs n WHERE n.task_id = r.task_id AND n.id > r.id AND n.status = 'done')
	ORDER BY r.id DESC LIMIT 100`)

// Broken are the course's tasks that submissions can't be judged by.
func Broken(ctx context.Context, q postgres.Queryer, actor auth.Actor, courseID string) ([]validation.Broken, error) {
	rows, err := q.Query(ctx, broken, scoped(actor, postgres.Args{"course": courseID}))
	if err != nil {
		return nil, fmt.Errorf("list broken tasks of course %s: %w", courseID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b validation.Broken, err error) {
		var at time.Time
		err = row.Scan(&b.TaskID, &b.RunID, &at)
		b.FoundAt = at.UTC()
		return b, err
	})
}
