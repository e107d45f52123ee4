package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
)

// Lanes of the queue: bulk work is taken when nothing else waits.
const (
	LaneInteractive = 0
	LaneBulk        = 1
)

// Lease is a run that a worker holds.
type Lease struct {
	RunID, TaskID, SnapshotID, UserID string
	CourseID                          string
	// Kind is what sort of work it is.
	Kind string
	Lane int
	// Cost is what its course paid for the turn.
	Cost float64
	// Attempt counts from 1.
	Attempt int
	// Token is what publishes; another's ends this one's right to.
	Token string
	// EnqueuedAt is when the snapshot was submitted.
	EnqueuedAt time.Time
}

var enqueue = postgres.SQL("validation.queue.insert", `
	INSERT INTO validation.queue (run_id, task_id, snapshot_id, user_id, course_id, lane, kind, enqueued_at, available_at, attempt)
	VALUES (@run, @task, @snapshot, @user, @course, @lane, @kind, @at, @at, 0)`)

// Enqueue puts a run into the queue; kind says what sort of work it is.
func Enqueue(ctx context.Context, tx *postgres.Tx, r validation.Run, lane int, kind string) error {
	_, err := tx.Exec(ctx, enqueue, postgres.Args{
		"run": r.ID, "task": r.TaskID, "snapshot": r.SnapshotID, "user": r.UserID, "course": orNull(r.CourseID), "lane": lane,
		"kind": kind, "at": r.CreatedAt,
	})
	return err
}

// One submission of a learner after the other, until it is stored: counted at the
// same moment, each would see the same free place.
var lockLearner = postgres.SQL("validation.learner.lock", `SELECT pg_advisory_xact_lock(hashtextextended('validation.learner:' || @user, 0))`)

// LockLearner lets what is counted of a learner hold until tx ends.
func LockLearner(ctx context.Context, tx *postgres.Tx, userID string) error {
	_, err := tx.Exec(ctx, lockLearner, postgres.Args{"user": userID})
	return err
}

var pending = postgres.SQL("validation.queue.pending", `
	SELECT count(*) FROM validation.queue q WHERE q.lane = 0 AND coalesce(q.course_id, '') = @course AND q.user_id = @user AND q.lease_token IS NULL`)

// Pending counts the runs that a learner has waiting in a course.
func Pending(ctx context.Context, tx *postgres.Tx, courseID, userID string) (n int, err error) {
	err = tx.QueryRow(ctx, pending, postgres.Args{"course": courseID, "user": userID}).Scan(&n)
	return n, err
}

var stored = postgres.SQL("validation.learner.stored", `
	SELECT (SELECT coalesce(sum(s.bytes), 0) FROM validation.code_snapshots s WHERE s.user_id = @user)::bigint +
		(SELECT coalesce(sum(r.bytes), 0) FROM validation.reports r WHERE r.user_id = @user)::bigint`)

// Stored is how many bytes a learner's snapshots and reports have.
func Stored(ctx context.Context, tx *postgres.Tx, userID string) (bytes int64, err error) {
	err = tx.QueryRow(ctx, stored, postgres.Args{"user": userID}).Scan(&bytes)
	return bytes, err
}

var inQueue = postgres.SQL("validation.queue.of_task", `SELECT EXISTS (SELECT FROM validation.queue q WHERE q.task_id = @task)`)

// InQueue says whether a run of the task waits or runs.
func InQueue(ctx context.Context, tx *postgres.Tx, taskID string) (is bool, err error) {
	err = tx.QueryRow(ctx, inQueue, postgres.Args{"task": taskID}).Scan(&is)
	return is, err
}

var supersede = postgres.SQL("validation.queue.supersede", `
	DELETE FROM validation.queue q USING (
		-- A row that is being taken right now is no longer waiting.
		SELECT w.run_id FROM validation.queue w WHERE w.task_id = @task AND w.lease_token IS NULL FOR UPDATE SKIP LOCKED
	) w WHERE q.run_id = w.run_id RETURNING q.run_id`)

// Supersede takes a task's waiting runs out of the queue and says which.
func Supersede(ctx context.Context, tx *postgres.Tx, taskID string) ([]string, error) {
	return collectIDs(ctx, tx, supersede, postgres.Args{"task": taskID})
}

var unqueue = postgres.SQL("validation.queue.forget", `DELETE FROM validation.queue WHERE task_id = @task`)

// Unqueue takes all runs of a task out of the queue, also those that are being
// judged: whoever holds one can no longer publish.
func Unqueue(ctx context.Context, tx *postgres.Tx, taskID string) error {
	_, err := tx.Exec(ctx, unqueue, postgres.Args{"task": taskID})
	return err
}

var renew = postgres.SQL("validation.queue.renew", `
	UPDATE validation.queue SET lease_until = now() + @lease::interval WHERE run_id = @run AND lease_token = @token`)

// Renew keeps a lease alive; false when it is no longer ours.
func Renew(ctx context.Context, q postgres.Queryer, l Lease, forTime time.Duration) (bool, error) {
	tag, err := q.Exec(ctx, renew, postgres.Args{"run": l.RunID, "token": l.Token, "lease": forTime})
	return tag.RowsAffected() > 0, err
}

var claim = postgres.SQL("validation.queue.claim", `
	DELETE FROM validation.queue WHERE run_id = @run AND lease_token = @token`)

// Claim ends a lease to publish under it; false when it is no longer ours.
func Claim(ctx context.Context, tx *postgres.Tx, l Lease) (bool, error) {
	tag, err := tx.Exec(ctx, claim, postgres.Args{"run": l.RunID, "token": l.Token})
	return tag.RowsAffected() > 0, err
}

var overdue = postgres.SQL("validation.queue.overdue", `
	SELECT count(*) FROM validation.queue WHERE lease_token IS NULL AND available_at < now() - @since::interval`)

// Overdue counts runs that wait longer than since.
func Overdue(ctx context.Context, q postgres.Queryer, since time.Duration) (n int, err error) {
	err = q.QueryRow(ctx, overdue, postgres.Args{"since": since}).Scan(&n)
	return n, err
}

func collectIDs(ctx context.Context, tx *postgres.Tx, s *postgres.Statement, args postgres.Args) ([]string, error) {
	rows, err := tx.Query(ctx, s, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	ids, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name(), err)
	}
	return ids, nil
}
