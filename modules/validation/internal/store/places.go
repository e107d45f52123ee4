package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// ranked gives each waiting run its tags: start times in the virtual time of
// its learner and of its course, as if nothing more came and no course had a
// limit. It tells the order in which Take will go.
const ranked = `
	WITH waiting AS (
		SELECT q.run_id, q.lane, q.position, q.user_id, coalesce(q.course_id, '') AS course, q.kind,
			row_number() OVER (PARTITION BY q.lane, coalesce(q.course_id, ''), q.user_id ORDER BY q.position) - 1 AS nth
		FROM validation.queue q WHERE q.lease_token IS NULL AND q.available_at <= now()
	), learners AS (
		SELECT w.run_id, w.lane, w.position, w.user_id, w.course, w.kind, 1 / coalesce(p.weight, 1) AS cost,
			greatest(coalesce(l.virtual_time, 0), coalesce(c.served, 0)) + w.nth AS learner_start,
			greatest(coalesce(c.virtual_time, 0), coalesce(a.served, 0)) AS course_time
		FROM waiting w
		LEFT JOIN validation.shares l ON l.lane = w.lane AND l.kind = 'learner' AND l.course_id = w.course AND l.user_id = w.user_id
		LEFT JOIN validation.shares c ON c.lane = w.lane AND c.kind = 'course' AND c.course_id = w.course AND c.user_id = ''
		LEFT JOIN validation.shares a ON a.lane = w.lane AND a.kind = 'all' AND a.course_id = '' AND a.user_id = ''
		LEFT JOIN validation.course_policies p ON p.course_id = w.course
	), ranked AS (
		SELECT n.run_id, n.lane, n.position, n.user_id, n.course, n.kind, n.learner_start, n.course_time + n.cost *
			(row_number() OVER (PARTITION BY n.lane, n.course ORDER BY n.learner_start, n.position) - 1) AS course_start
		FROM learners n
	), placed AS (
		SELECT r.run_id, r.course, r.kind,
			row_number() OVER (ORDER BY r.lane, r.course_start, r.course, r.learner_start, r.position) AS place
		FROM ranked r
	)`

// Place is where a waiting run stands.
type Place struct {
	RunID, TaskID, SnapshotID, UserID string
	CourseID, Kind                    string
	SnapshotNumber                    int
	// Position counts from 1.
	Position int
}

var position = postgres.SQL("validation.queue.position", ranked+`SELECT p.place FROM placed p WHERE p.run_id = @run`)

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

var places = postgres.SQL("validation.queue.places", ranked+`
	SELECT q.run_id, q.task_id, q.snapshot_id, r.snapshot_number, q.user_id, p.course, p.kind, p.place
	FROM placed p JOIN validation.queue q ON q.run_id = p.run_id JOIN validation.runs r ON r.id = p.run_id
	ORDER BY p.place LIMIT @size`)

// Places are the first size waiting runs in their order.
func Places(ctx context.Context, q postgres.Queryer, size int) ([]Place, error) {
	rows, err := q.Query(ctx, places, postgres.Args{"size": size})
	if err != nil {
		return nil, fmt.Errorf("list the queue: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Place, err error) {
		err = row.Scan(&p.RunID, &p.TaskID, &p.SnapshotID, &p.SnapshotNumber, &p.UserID, &p.CourseID, &p.Kind, &p.Position)
		return p, err
	})
}
