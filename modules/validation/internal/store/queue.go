package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
)

// Lanes of the queue; the first goes before the second.
const (
	LaneInteractive = 0
	LaneBulk        = 1
)

// Lease is a run that a worker holds.
type Lease struct {
	RunID, TaskID, SnapshotID, UserID string
	CourseID                          string
	// Attempt counts from 1.
	Attempt int
	// Token is what publishes; another's ends this one's right to.
	Token string
	// EnqueuedAt is when the snapshot was submitted.
	EnqueuedAt time.Time
}

var enqueue = postgres.SQL("validation.queue.insert", `
	INSERT INTO validation.queue (run_id, task_id, snapshot_id, user_id, course_id, lane, enqueued_at, available_at, attempt)
	VALUES (@run, @task, @snapshot, @user, @course, @lane, @at, @at, 0)`)

// Enqueue puts a run into the queue.
func Enqueue(ctx context.Context, tx *postgres.Tx, r validation.Run, lane int) error {
	_, err := tx.Exec(ctx, enqueue, postgres.Args{
		"run": r.ID, "task": r.TaskID, "snapshot": r.SnapshotID, "user": r.UserID, "course": orNull(r.CourseID), "lane": lane, "at": r.CreatedAt,
	})
	return err
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

// ranked gives each waiting run its tags: start times in the virtual time of
// its learner and of its course, as if nothing more came. Fair queueing by start
// time, in two levels: a course's next run goes to the learner who is furthest
// behind, and the next turn to the course that is. Who was idle starts at the
// time of those who were not, and so saves nothing up.
const ranked = `
	WITH waiting AS (
		SELECT q.run_id, q.lane, q.position, q.user_id, coalesce(q.course_id, '') AS course,
			row_number() OVER (PARTITION BY q.lane, q.course_id, q.user_id ORDER BY q.position) - 1 AS nth
		FROM validation.queue q WHERE q.lease_token IS NULL AND q.available_at <= now()
	), learners AS (
		SELECT w.run_id, w.lane, w.position, w.user_id, w.course,
			greatest(coalesce(l.virtual_time, 0), coalesce(c.served, 0)) + w.nth AS learner_start,
			greatest(coalesce(c.virtual_time, 0), coalesce(a.served, 0)) AS course_time
		FROM waiting w
		LEFT JOIN validation.shares l ON l.kind = 'learner' AND l.course_id = w.course AND l.user_id = w.user_id
		LEFT JOIN validation.shares c ON c.kind = 'course' AND c.course_id = w.course AND c.user_id = ''
		LEFT JOIN validation.shares a ON a.kind = 'all' AND a.course_id = '' AND a.user_id = ''
	), ranked AS (
		SELECT n.run_id, n.lane, n.position, n.user_id, n.course, n.learner_start, n.course_time - 1 +
			row_number() OVER (PARTITION BY n.lane, n.course ORDER BY n.learner_start, n.position) AS course_start
		FROM learners n
	)`

const rankedOrder = ` ORDER BY r.lane, r.course_start, r.learner_start, r.position `

// A few are looked at, since others may be taking the first ones right now.
var pick = postgres.SQL("validation.queue.pick", ranked+`, first AS MATERIALIZED (
		SELECT r.run_id, r.lane, r.position, r.learner_start, r.course_start FROM ranked r`+rankedOrder+`LIMIT 64
	)
	SELECT q.run_id, q.task_id, q.snapshot_id, q.user_id, coalesce(q.course_id, ''), q.attempt + 1, q.enqueued_at,
		r.learner_start, r.course_start
	FROM first r JOIN validation.queue q ON q.run_id = r.run_id AND q.lease_token IS NULL`+
	rankedOrder+`LIMIT 1 FOR UPDATE OF q SKIP LOCKED`)

var lease = postgres.SQL("validation.queue.lease", `
	UPDATE validation.queue SET lease_token = @token, lease_until = now() + @lease::interval, attempt = attempt + 1, worker = @worker
	WHERE run_id = @run`)

// A retry was paid for by the first attempt.
var charge = postgres.SQL("validation.shares.charge", `
	INSERT INTO validation.shares AS s (kind, course_id, user_id, virtual_time, served) VALUES
		('learner', @course, @user, @learner::float8 + 1, 0), ('course', @course, '', @start::float8 + 1, @learner), ('all', '', '', 0, @start)
	ON CONFLICT (kind, course_id, user_id) DO UPDATE SET
		virtual_time = greatest(s.virtual_time, excluded.virtual_time), served = greatest(s.served, excluded.served)`)

// Take leases the run whose turn it is to a worker; nil when none waits.
func Take(ctx context.Context, tx *postgres.Tx, token, worker string, forTime time.Duration) (*Lease, error) {
	l := Lease{Token: token}
	var learnerStart, courseStart float64
	err := tx.QueryRow(ctx, pick, postgres.Args{}).Scan(
		&l.RunID, &l.TaskID, &l.SnapshotID, &l.UserID, &l.CourseID, &l.Attempt, &l.EnqueuedAt, &learnerStart, &courseStart)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take a run from the queue: %w", err)
	}
	if _, err := tx.Exec(ctx, lease, postgres.Args{"run": l.RunID, "token": token, "lease": forTime, "worker": worker}); err != nil {
		return nil, err
	}
	if l.Attempt > 1 {
		return &l, nil
	}
	_, err = tx.Exec(ctx, charge, postgres.Args{"course": l.CourseID, "user": l.UserID, "learner": learnerStart, "start": courseStart})
	return &l, err
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

var giveBack = postgres.SQL("validation.queue.give_back", `
	UPDATE validation.queue SET lease_token = NULL, lease_until = NULL, worker = NULL,
		available_at = now() + @wait::interval, attempt = attempt - CASE WHEN @counts::boolean THEN 0 ELSE 1 END
	WHERE run_id = @run AND lease_token = @token`)

// GiveBack ends a lease without a verdict: the run waits again, from after
// wait on. An attempt that does not count is one that was cut short. False when
// the lease is no longer ours.
func GiveBack(ctx context.Context, tx *postgres.Tx, l Lease, wait time.Duration, counts bool) (bool, error) {
	tag, err := tx.Exec(ctx, giveBack, postgres.Args{"run": l.RunID, "token": l.Token, "wait": wait, "counts": counts})
	return tag.RowsAffected() > 0, err
}

var sweep = postgres.SQL("validation.queue.sweep", `
	UPDATE validation.queue q SET lease_token = NULL, lease_until = NULL, worker = NULL, available_at = now()
	FROM (SELECT w.run_id FROM validation.queue w WHERE w.lease_token IS NOT NULL AND w.lease_until < now() FOR UPDATE SKIP LOCKED) w
	WHERE q.run_id = w.run_id RETURNING q.run_id`)

// Sweep ends the leases that were not renewed and says of which runs.
func Sweep(ctx context.Context, tx *postgres.Tx) ([]string, error) {
	return collectIDs(ctx, tx, sweep, postgres.Args{})
}

var overdue = postgres.SQL("validation.queue.overdue", `
	SELECT count(*) FROM validation.queue WHERE lease_token IS NULL AND available_at < now() - @since::interval`)

// Overdue counts runs that wait longer than since.
func Overdue(ctx context.Context, q postgres.Queryer, since time.Duration) (n int, err error) {
	err = q.QueryRow(ctx, overdue, postgres.Args{"since": since}).Scan(&n)
	return n, err
}

var tidy = []*postgres.Statement{
	postgres.SQL("validation.shares.idle_learners", `
		DELETE FROM validation.shares l USING validation.shares c
		WHERE l.kind = 'learner' AND c.kind = 'course' AND c.course_id = l.course_id AND l.virtual_time <= c.served`),
	// When nothing waits and nothing runs, nobody is behind anybody.
	postgres.SQL("validation.shares.reset", `
		DELETE FROM validation.shares WHERE NOT EXISTS (SELECT FROM validation.queue)`),
}

// Tidy removes shares that make no difference.
func Tidy(ctx context.Context, tx *postgres.Tx) error {
	for _, s := range tidy {
		if _, err := tx.Exec(ctx, s, postgres.Args{}); err != nil {
			return err
		}
	}
	return nil
}

// Place is where a waiting run stands.
type Place struct {
	RunID, TaskID, SnapshotID, UserID string
	// Position counts from 1.
	Position int
}

const placed = `, placed AS (
		SELECT r.run_id, row_number() OVER (` + rankedOrder + `) AS place FROM ranked r
	)`

var position = postgres.SQL("validation.queue.position", ranked+placed+`SELECT p.place FROM placed p WHERE p.run_id = @run`)

// Position is the place of a waiting run from 1; 0 when it does not wait, or
// waits for its next attempt.
func Position(ctx context.Context, q postgres.Queryer, runID string) (n int, err error) {
	err = q.QueryRow(ctx, position, postgres.Args{"run": runID}).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find run %s in the queue: %w", runID, err)
	}
	return n, nil
}

var places = postgres.SQL("validation.queue.places", ranked+placed+`
	SELECT q.run_id, q.task_id, q.snapshot_id, q.user_id, p.place FROM placed p JOIN validation.queue q ON q.run_id = p.run_id
	ORDER BY p.place LIMIT @size`)

// Places are the first size waiting runs in their order.
func Places(ctx context.Context, q postgres.Queryer, size int) ([]Place, error) {
	rows, err := q.Query(ctx, places, postgres.Args{"size": size})
	if err != nil {
		return nil, fmt.Errorf("list the queue: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Place, err error) {
		err = row.Scan(&p.RunID, &p.TaskID, &p.SnapshotID, &p.UserID, &p.Position)
		return p, err
	})
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
