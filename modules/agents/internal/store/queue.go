package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Due is an execution of a node that is due.
type Due struct {
	RunID  string          `json:"-"`
	UserID string          `json:"-"`
	Step   int             `json:"step"`
	Node   string          `json:"node"`
	Input  json.RawMessage `json:"input,omitempty"`
	Held   bool            `json:"held,omitempty"`
	// Attempt counts from 1 how often it was taken.
	Attempt int `json:"-"`
}

// A learner's next execution comes one turn after their last; who has none is
// served in the turn that the queue is at.
var enqueue = postgres.SQL("agents.queue.insert", `
	INSERT INTO agents.queue (run_id, step, node, input, held, user_id, lane, virtual_time, enqueued_at, available_at, attempt)
	SELECT @run, @step, @node, @input, @held, @user, @lane,
	       greatest(coalesce((SELECT min(q.virtual_time) FROM agents.queue q), 0),
	                coalesce((SELECT max(q.virtual_time) + 1 FROM agents.queue q WHERE q.user_id = @user), 0)),
	       @now, @now, 0`)

// Enqueue makes an execution due; for the system.
func Enqueue(ctx context.Context, tx *postgres.Tx, d Due, lane int, now time.Time) error {
	_, err := tx.Exec(ctx, enqueue, postgres.Args{
		"run": d.RunID, "step": d.Step, "node": d.Node, "input": null(string(d.Input)), "held": d.Held, "user": d.UserID, "lane": lane, "now": now,
	})
	return err
}

// MATERIALIZED: as a subquery it may be run once a row of the join, and then
// one call leases more than it is given.
var take = postgres.SQL("agents.queue.take", `
	WITH fairest AS MATERIALIZED (
		SELECT run_id, step FROM agents.queue
		WHERE lease_token IS NULL AND NOT held AND available_at <= @now
		ORDER BY lane, virtual_time, enqueued_at, run_id, step LIMIT 1 FOR UPDATE SKIP LOCKED
	)
	UPDATE agents.queue q SET lease_token = @token, lease_until = @now::timestamptz + @lease::interval, worker = @worker, attempt = q.attempt + 1
	FROM fairest
	WHERE q.run_id = fairest.run_id AND q.step = fairest.step
	RETURNING q.run_id::text, q.user_id, q.step, q.node, q.input, q.attempt`)

// Take leases the fairest execution that waits; nil for none.
func Take(ctx context.Context, q postgres.Queryer, token, worker string, lease time.Duration, now time.Time) (*Due, error) {
	var d Due
	var input []byte
	err := q.QueryRow(ctx, take, postgres.Args{"token": token, "worker": worker, "lease": lease, "now": now}).
		Scan(&d.RunID, &d.UserID, &d.Step, &d.Node, &input, &d.Attempt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take a node: %w", err)
	}
	d.Input = input
	return &d, nil
}

var extend = postgres.SQL("agents.queue.extend", `
	UPDATE agents.queue SET lease_until = @now::timestamptz + @lease::interval WHERE run_id = @run AND step = @step AND lease_token = @token`)

// Extend keeps a lease; false when it was lost.
func Extend(ctx context.Context, q postgres.Queryer, d Due, token string, lease time.Duration, now time.Time) (bool, error) {
	tag, err := q.Exec(ctx, extend, postgres.Args{"run": d.RunID, "step": d.Step, "token": token, "lease": lease, "now": now})
	return err == nil && tag.RowsAffected() == 1, err
}

var finish = postgres.SQL("agents.queue.finish", `
	DELETE FROM agents.queue WHERE run_id = @run AND step = @step AND lease_token = @token`)

// Finish takes an execution that is held under a lease out of the queue; false
// when the lease was lost.
func Finish(ctx context.Context, tx *postgres.Tx, d Due, token string) (bool, error) {
	tag, err := tx.Exec(ctx, finish, postgres.Args{"run": d.RunID, "step": d.Step, "token": token})
	return err == nil && tag.RowsAffected() == 1, err
}

var giveBack = postgres.SQL("agents.queue.give_back", `
	UPDATE agents.queue SET lease_token = NULL, lease_until = NULL, worker = NULL, available_at = @at
	WHERE run_id = @run AND step = @step AND lease_token = @token`)

// GiveBack lets an execution wait again until a time; false when the lease was lost.
func GiveBack(ctx context.Context, tx *postgres.Tx, d Due, token string, at time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, giveBack, postgres.Args{"run": d.RunID, "step": d.Step, "token": token, "at": at})
	return err == nil && tag.RowsAffected() == 1, err
}

var dueOf = postgres.SQL("agents.queue.of_run", `
	SELECT run_id::text, user_id, step, node, input, held, attempt FROM agents.queue WHERE run_id = @run ORDER BY step`)

// DueOf are all executions of a run that are due.
func DueOf(ctx context.Context, tx *postgres.Tx, runID string) ([]Due, error) {
	rows, err := tx.Query(ctx, dueOf, postgres.Args{"run": runID})
	if err != nil {
		return nil, fmt.Errorf("read what is due of run %s: %w", runID, err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Due, err error) {
		var input []byte
		err = row.Scan(&d.RunID, &d.UserID, &d.Step, &d.Node, &input, &d.Held, &d.Attempt)
		d.Input = input
		return d, err
	})
}

var (
	release = postgres.SQL("agents.queue.release", `UPDATE agents.queue SET held = false WHERE run_id = @run AND held`)
	drop    = postgres.SQL("agents.queue.drop", `DELETE FROM agents.queue WHERE run_id = @run`)
)

// Release lets the joins of a run go on.
func Release(ctx context.Context, tx *postgres.Tx, runID string) error {
	_, err := tx.Exec(ctx, release, postgres.Args{"run": runID})
	return err
}

// Drop takes all executions of a run out of the queue, leased or not.
func Drop(ctx context.Context, tx *postgres.Tx, runID string) error {
	_, err := tx.Exec(ctx, drop, postgres.Args{"run": runID})
	return err
}

var sweep = postgres.SQL("agents.queue.sweep", `
	WITH lost AS (
		UPDATE agents.queue SET lease_token = NULL, lease_until = NULL, worker = NULL WHERE lease_until < @now RETURNING 1
	)
	SELECT (SELECT count(*) FROM lost) + (
		SELECT count(*) FROM agents.queue WHERE lease_token IS NULL AND NOT held AND available_at <= @now::timestamptz - @idle::interval)`)

// Sweep frees executions whose lease ran out, and says how many wait that may
// have no ticket.
func Sweep(ctx context.Context, tx *postgres.Tx, idle time.Duration, now time.Time) (n int, err error) {
	if err = tx.QueryRow(ctx, sweep, postgres.Args{"idle": idle, "now": now}).Scan(&n); err != nil {
		return 0, fmt.Errorf("sweep the queue of agents: %w", err)
	}
	return n, nil
}
