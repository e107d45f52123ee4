package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

var insertRejudging = postgres.SQL("validation.rejudgings.insert", `
	INSERT INTO validation.rejudgings (id, course_id, task_id, user_id, created_at, skipped, listed)
	VALUES (@id, @course, @task, @user, @created, 0, false)`)

// InsertRejudging writes what was asked for.
func InsertRejudging(ctx context.Context, tx *postgres.Tx, r validation.Rejudging) error {
	_, err := tx.Exec(ctx, insertRejudging, postgres.Args{
		"id": r.ID, "course": orNull(r.CourseID), "task": orNull(r.TaskID), "user": r.UserID, "created": r.CreatedAt,
	})
	return err
}

var getRejudging = postgres.SQL("validation.rejudgings.get", `
	SELECT j.id, coalesce(j.course_id, ''), coalesce(j.task_id::text, ''), j.user_id, j.created_at, j.listed, j.skipped,
		count(r.id), count(r.finished_at), count(*) FILTER (WHERE r.status = 'done' AND r.verdict IS DISTINCT FROM r.previous_verdict)
	FROM validation.rejudgings j LEFT JOIN validation.runs r ON r.rejudging_id = j.id
	WHERE j.id = @id AND /*scope*/ (j.course_id = ANY (@courses::text[]) OR @all::boolean) /*end*/
	GROUP BY j.id`)

// Rejudging reads a re-judging with its progress, if the actor may; nil for none.
func Rejudging(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (*validation.Rejudging, error) {
	var r validation.Rejudging
	args := scoped(actor, postgres.Args{"id": id})
	delete(args, "actor")
	err := q.QueryRow(ctx, getRejudging, args).Scan(&r.ID, &r.CourseID, &r.TaskID, &r.UserID, &r.CreatedAt, &r.Listed, &r.Skipped,
		&r.Total, &r.Finished, &r.Changed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load re-judging %s: %w", id, err)
	}
	r.CreatedAt = r.CreatedAt.UTC()
	return &r, nil
}

// Listing is a re-judging whose tasks are being gone through.
type Listing struct {
	ID, CourseID, TaskID string
	// After is the last task that was looked at, "" before the first.
	After string
}

var lockListing = postgres.SQL("validation.rejudgings.lock", `
	SELECT j.id, coalesce(j.course_id, ''), coalesce(j.task_id::text, ''), coalesce(j.cursor::text, '') FROM validation.rejudgings j
	WHERE j.id = @id AND NOT j.listed FOR UPDATE`)

// LockListing locks a re-judging that is not listed yet; nil for none.
func LockListing(ctx context.Context, tx *postgres.Tx, id string) (*Listing, error) {
	var l Listing
	err := tx.QueryRow(ctx, lockListing, postgres.Args{"id": id}).Scan(&l.ID, &l.CourseID, &l.TaskID, &l.After)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock re-judging %s: %w", id, err)
	}
	return &l, nil
}

var nextTask = postgres.SQL("validation.rejudgings.next", `
	SELECT s.task_id FROM validation.code_snapshots s
	WHERE s.course_id = @course AND s.task_id > coalesce(@after::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY s.task_id LIMIT 1`)

// NextTask is the next task to look at; "" when there is none.
func (l Listing) NextTask(ctx context.Context, tx *postgres.Tx) (id string, err error) {
	if l.TaskID != "" {
		if l.After == "" {
			return l.TaskID, nil
		}
		return "", nil
	}
	err = tx.QueryRow(ctx, nextTask, postgres.Args{"course": l.CourseID, "after": orNull(l.After)}).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return id, err
}

var moveListing = postgres.SQL("validation.rejudgings.move", `
	UPDATE validation.rejudgings SET cursor = coalesce(@task::uuid, cursor), listed = @task::uuid IS NULL,
		skipped = skipped + CASE WHEN @skipped::boolean THEN 1 ELSE 0 END
	WHERE id = @id`)

// Move says that a task was looked at, and whether it was left out; "" says that
// all were.
func (l Listing) Move(ctx context.Context, tx *postgres.Tx, taskID string, skipped bool) error {
	_, err := tx.Exec(ctx, moveListing, postgres.Args{"id": l.ID, "task": orNull(taskID), "skipped": skipped})
	return err
}

// Newest is a task's newest snapshot and what was last said of it.
type Newest struct {
	SnapshotID, Language, Plugin string
	Number                       int
	// Verdict is "" when none was given.
	Verdict judging.Verdict
}

var newest = postgres.SQL("validation.snapshots.newest", `
	SELECT s.id, s.number, s.language, coalesce(r.plugin, ''), coalesce(r.verdict, '') FROM validation.code_snapshots s
	LEFT JOIN LATERAL (
		SELECT n.plugin, n.verdict FROM validation.runs n WHERE n.snapshot_id = s.id AND n.status = 'done' ORDER BY n.id DESC LIMIT 1
	) r ON true
	WHERE s.task_id = @task ORDER BY s.number DESC LIMIT 1`)

// NewestOf reads a task's newest snapshot; nil for none.
func NewestOf(ctx context.Context, tx *postgres.Tx, taskID string) (*Newest, error) {
	var n Newest
	err := tx.QueryRow(ctx, newest, postgres.Args{"task": taskID}).Scan(&n.SnapshotID, &n.Number, &n.Language, &n.Plugin, &n.Verdict)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the newest snapshot of task %s: %w", taskID, err)
	}
	return &n, nil
}
