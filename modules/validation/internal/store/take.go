package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// One turn after the other: who takes a run, or gives a turn back, sees what
// all before did, so that limits of courses hold and turns are fair however many
// servers there are.
var turn = postgres.SQL("validation.queue.turn", `SELECT pg_advisory_xact_lock(hashtextextended('validation.queue.turn', 0))`)

// Fair queueing by start time in virtual time, in two levels: the turn goes to
// the course that is furthest behind for its weight, and in it to the learner
// who is. Who was idle starts at the time of those who were not, and so saves
// nothing up. A course at its limit, or with nothing that may run yet, is passed
// over.
//
// However many wait, it looks at one row for each course and at one for each
// learner of the course whose turn it is: a step of a recursion is one descent of
// queue_flows, whose whole order each ORDER BY names so that the planner sees it.
var take = postgres.SQL("validation.queue.take", `
	WITH RECURSIVE courses AS (
		(SELECT coalesce(q.course_id, '') AS course, q.available_at <= now() AS ready FROM validation.queue q
			WHERE q.lane = @lane AND q.lease_token IS NULL ORDER BY q.lane, coalesce(q.course_id, ''), q.user_id, q.position LIMIT 1)
		UNION ALL
		SELECT n.course, n.ready FROM courses c CROSS JOIN LATERAL (
			SELECT coalesce(q.course_id, '') AS course, q.available_at <= now() AS ready FROM validation.queue q
			WHERE q.lane = @lane AND q.lease_token IS NULL AND coalesce(q.course_id, '') > c.course
			ORDER BY q.lane, coalesce(q.course_id, ''), q.user_id, q.position LIMIT 1
		) n
	), first AS MATERIALIZED (
		SELECT c.course, 1 / coalesce(p.weight, 1) AS cost, coalesce(s.served, 0) AS served,
			greatest(coalesce(s.virtual_time, 0), coalesce(a.served, 0)) AS course_start
		FROM courses c
		LEFT JOIN validation.shares s ON s.lane = @lane AND s.kind = 'course' AND s.course_id = c.course AND s.user_id = ''
		LEFT JOIN validation.shares a ON a.lane = @lane AND a.kind = 'all' AND a.course_id = '' AND a.user_id = ''
		LEFT JOIN validation.course_policies p ON p.course_id = c.course
		WHERE (coalesce(p.max_parallel, 0) = 0 OR p.max_parallel > (
				SELECT count(*) FROM validation.queue q WHERE q.lease_token IS NOT NULL AND coalesce(q.course_id, '') = c.course))
			AND (c.ready OR EXISTS (SELECT FROM validation.queue q WHERE q.lane = @lane AND q.lease_token IS NULL
				AND coalesce(q.course_id, '') = c.course AND q.available_at <= now()))
		ORDER BY course_start, c.course LIMIT 1
	), learners AS (
		SELECT n.user_id, n.run_id, n.position, n.ready FROM first f CROSS JOIN LATERAL (
			SELECT q.user_id, q.run_id, q.position, q.available_at <= now() AS ready FROM validation.queue q
			WHERE q.lane = @lane AND q.lease_token IS NULL AND coalesce(q.course_id, '') = f.course
			ORDER BY q.lane, coalesce(q.course_id, ''), q.user_id, q.position LIMIT 1
		) n
		UNION ALL
		SELECT n.user_id, n.run_id, n.position, n.ready FROM learners l CROSS JOIN first f CROSS JOIN LATERAL (
			SELECT q.user_id, q.run_id, q.position, q.available_at <= now() AS ready FROM validation.queue q
			WHERE q.lane = @lane AND q.lease_token IS NULL AND coalesce(q.course_id, '') = f.course AND q.user_id > l.user_id
			ORDER BY q.lane, coalesce(q.course_id, ''), q.user_id, q.position LIMIT 1
		) n
	), heads AS MATERIALIZED (
		SELECT h.run_id, h.position, f.course, f.cost, f.course_start, greatest(coalesce(s.virtual_time, 0), f.served) AS learner_start
		FROM first f CROSS JOIN learners l
		CROSS JOIN LATERAL (
			SELECT l.run_id, l.position WHERE l.ready
			UNION ALL
			-- Its oldest waits for another attempt, so the next one goes.
			(SELECT q.run_id, q.position FROM validation.queue q
				WHERE NOT l.ready AND q.lane = @lane AND q.lease_token IS NULL AND coalesce(q.course_id, '') = f.course
					AND q.user_id = l.user_id AND q.available_at <= now()
				ORDER BY q.lane, coalesce(q.course_id, ''), q.user_id, q.position LIMIT 1)
		) h
		LEFT JOIN validation.shares s ON s.lane = @lane AND s.kind = 'learner' AND s.course_id = f.course AND s.user_id = l.user_id
		-- One may be superseded right now: those next in turn are at hand.
		ORDER BY learner_start, h.position LIMIT 16
	), picked AS (
		SELECT q.run_id, q.task_id, q.snapshot_id, q.user_id, h.course, q.kind, q.lane, h.cost, q.attempt + 1 AS attempt, q.enqueued_at,
			h.learner_start, h.course_start
		-- Nobody else leases one before this turn is over.
		FROM heads h JOIN validation.queue q ON q.run_id = h.run_id
		ORDER BY h.learner_start, h.position LIMIT 1 FOR UPDATE OF q SKIP LOCKED
	), leased AS (
		UPDATE validation.queue q SET lease_token = @token, lease_until = now() + @lease::interval, leased_at = now(), worker = @worker,
			attempt = p.attempt, course_cost = p.cost
		FROM picked p WHERE q.run_id = p.run_id
	), charged AS (
		INSERT INTO validation.shares AS s (lane, kind, course_id, user_id, virtual_time, served)
		SELECT p.lane, v.kind, v.course_id, v.user_id, v.virtual_time, v.served FROM picked p CROSS JOIN LATERAL (VALUES
			('learner', p.course, p.user_id, p.learner_start + 1, 0), ('course', p.course, '', p.course_start + p.cost, p.learner_start),
			('all', '', '', 0, p.course_start)) v (kind, course_id, user_id, virtual_time, served)
		ON CONFLICT (lane, kind, course_id, user_id) DO UPDATE SET
			virtual_time = greatest(s.virtual_time, excluded.virtual_time), served = greatest(s.served, excluded.served)
	)
	SELECT run_id, task_id, snapshot_id, user_id, course, kind, lane, cost, attempt, enqueued_at FROM picked`)

// Take leases the run whose turn it is to a worker; nil when none may run.
func Take(ctx context.Context, tx *postgres.Tx, token, worker string, forTime time.Duration) (*Lease, error) {
	if err := tx.Later(turn, postgres.Args{}, nil); err != nil {
		return nil, err
	}
	for _, lane := range []int{LaneInteractive, LaneBulk} {
		l := Lease{Token: token}
		err := tx.QueryRow(ctx, take, postgres.Args{"lane": lane, "token": token, "lease": forTime, "worker": worker}).Scan(
			&l.RunID, &l.TaskID, &l.SnapshotID, &l.UserID, &l.CourseID, &l.Kind, &l.Lane, &l.Cost, &l.Attempt, &l.EnqueuedAt)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("take a run from the queue: %w", err)
		}
		return &l, nil
	}
	return nil, nil
}

var ready = postgres.SQL("validation.queue.ready", `
	SELECT EXISTS (SELECT FROM validation.queue q LEFT JOIN validation.course_policies p ON p.course_id = q.course_id
		WHERE q.lease_token IS NULL AND q.available_at <= now() AND (coalesce(p.max_parallel, 0) = 0 OR p.max_parallel > (
			SELECT count(*) FROM validation.queue r WHERE r.lease_token IS NOT NULL AND r.course_id = q.course_id)))`)

// Ready says whether a run waits that may be judged now.
func Ready(ctx context.Context, tx *postgres.Tx) (is bool, err error) {
	err = tx.QueryRow(ctx, ready, postgres.Args{}).Scan(&is)
	return is, err
}

var heldBack = postgres.SQL("validation.queue.held_back", `
	SELECT EXISTS (SELECT FROM validation.course_policies p WHERE p.course_id = @course AND p.max_parallel > 0)
		AND EXISTS (SELECT FROM validation.queue q WHERE q.course_id = @course AND q.lease_token IS NULL)`)

// HeldBack says whether a run of the course may have had to wait for another of
// it to end.
func HeldBack(ctx context.Context, tx *postgres.Tx, courseID string) (is bool, err error) {
	if courseID == "" {
		return false, nil
	}
	err = tx.QueryRow(ctx, heldBack, postgres.Args{"course": courseID}).Scan(&is)
	return is, err
}

// refunds give turns back whose runs came to nothing by the platform's fault;
// ended are those of queue that did.
const refunds = `, refunds AS (
		SELECT e.lane, 'learner' AS kind, e.course, e.user_id, sum(1.0::float8) AS amount FROM ended e WHERE e.course_cost > 0 GROUP BY 1, 3, 4
		UNION ALL
		SELECT e.lane, 'course', e.course, '', sum(e.course_cost) FROM ended e WHERE e.course_cost > 0 GROUP BY 1, 3
	), refunded AS (
		UPDATE validation.shares s SET virtual_time = s.virtual_time - r.amount FROM refunds r
		WHERE s.lane = r.lane AND s.kind = r.kind AND s.course_id = r.course AND s.user_id = r.user_id
	), back AS (
		UPDATE validation.queue q SET lease_token = NULL, lease_until = NULL, leased_at = NULL, worker = NULL, course_cost = 0,
			available_at = now() + @wait::interval, attempt = q.attempt - CASE WHEN @counts::boolean THEN 0 ELSE 1 END
		FROM ended e WHERE q.run_id = e.run_id
	)
	SELECT e.run_id FROM ended e`

const ended = `SELECT q.run_id, q.lane, coalesce(q.course_id, '') AS course, q.user_id, q.course_cost FROM validation.queue q WHERE `

var giveBack = postgres.SQL("validation.queue.give_back", `
	WITH ended AS (`+ended+`q.run_id = @run AND q.lease_token = @token FOR UPDATE)`+refunds)

// GiveBack ends a lease without a verdict: the run waits again, from after wait
// on, and the turn is given back. An attempt that does not count is one that was
// cut short. False when the lease is no longer ours.
func GiveBack(ctx context.Context, tx *postgres.Tx, l Lease, wait time.Duration, counts bool) (bool, error) {
	if err := tx.Later(turn, postgres.Args{}, nil); err != nil {
		return false, err
	}
	ids, err := collectIDs(ctx, tx, giveBack, postgres.Args{"run": l.RunID, "token": l.Token, "wait": wait, "counts": counts})
	return len(ids) > 0, err
}

var sweep = postgres.SQL("validation.queue.sweep", `
	WITH ended AS (`+ended+`q.lease_token IS NOT NULL AND q.lease_until < now() FOR UPDATE SKIP LOCKED)`+refunds)

// Sweep ends the leases that were not renewed and says of which runs.
func Sweep(ctx context.Context, tx *postgres.Tx) ([]string, error) {
	if err := tx.Later(turn, postgres.Args{}, nil); err != nil {
		return nil, err
	}
	return collectIDs(ctx, tx, sweep, postgres.Args{"wait": time.Duration(0), "counts": true})
}

var refund = postgres.SQL("validation.shares.refund", `
	UPDATE validation.shares s SET virtual_time = s.virtual_time - CASE s.kind WHEN 'course' THEN @cost::float8 ELSE 1 END
	WHERE s.lane = @lane AND s.course_id = @course AND (s.kind = 'learner' AND s.user_id = @user OR s.kind = 'course' AND s.user_id = '')`)

// Refund gives the turn of a run back that is given up by the platform's fault.
func Refund(ctx context.Context, tx *postgres.Tx, l Lease) error {
	if err := tx.Later(turn, postgres.Args{}, nil); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, refund, postgres.Args{"lane": l.Lane, "course": l.CourseID, "user": l.UserID, "cost": l.Cost})
	return err
}

var tidy = []*postgres.Statement{
	postgres.SQL("validation.shares.idle_learners", `
		DELETE FROM validation.shares l USING validation.shares c
		WHERE l.kind = 'learner' AND c.kind = 'course' AND c.lane = l.lane AND c.course_id = l.course_id AND l.virtual_time <= c.served`),
	// When nothing waits and nothing runs, nobody is behind anybody.
	postgres.SQL("validation.shares.reset", `
		DELETE FROM validation.shares s WHERE NOT EXISTS (SELECT FROM validation.queue q WHERE q.lane = s.lane)`),
}

// Tidy removes shares that make no difference; call it after Sweep.
func Tidy(ctx context.Context, tx *postgres.Tx) error {
	for _, s := range tidy {
		if _, err := tx.Exec(ctx, s, postgres.Args{}); err != nil {
			return err
		}
	}
	return nil
}

// TakeStatement is what Take runs, for tests of how it is planned.
func TakeStatement() *postgres.Statement { return take }
