package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Scene is what a forecast knows besides the queue.
type Scene struct {
	// Slots is how many runs all living servers judge at a time.
	Slots int
	// Running are the runs that are being judged.
	Running []Running
	// Seconds is how long runs of a kind lasted of late; "" is all kinds.
	Seconds map[string]float64
	// Limits are the courses' that have one.
	Limits map[string]int
}

// Running is a run that is being judged.
type Running struct {
	RunID    string `json:"run"`
	CourseID string `json:"course"`
	Kind     string `json:"kind"`
	// Since is how many seconds ago it was taken.
	Since float64 `json:"since"`
}

var scene = postgres.SQL("validation.queue.scene", `
	SELECT (SELECT coalesce(sum(w.slots), 0) FROM validation.workers w WHERE w.seen_at > now() - @alive::interval),
		(SELECT coalesce(json_agg(json_build_object('run', q.run_id, 'course', coalesce(q.course_id, ''), 'kind', q.kind,
			'since', extract(epoch FROM now() - q.leased_at))), '[]')::text FROM validation.queue q WHERE q.lease_token IS NOT NULL),
		(SELECT coalesce(json_object_agg(d.kind, d.seconds), '{}')::text FROM (
			SELECT s.kind, s.seconds FROM validation.durations s UNION ALL
			SELECT '', sum(a.seconds * least(a.runs, 100)) / sum(least(a.runs, 100)) FROM validation.durations a HAVING count(*) > 0) d),
		(SELECT coalesce(json_object_agg(p.course_id, p.max_parallel), '{}')::text FROM validation.course_policies p WHERE p.max_parallel > 0)`)

// LoadScene reads it; servers that were not heard of for alive are dead.
func LoadScene(ctx context.Context, q postgres.Queryer, alive time.Duration) (s Scene, err error) {
	var running, seconds, limits string
	if err := q.QueryRow(ctx, scene, postgres.Args{"alive": alive}).Scan(&s.Slots, &running, &seconds, &limits); err != nil {
		return Scene{}, fmt.Errorf("look at what runs: %w", err)
	}
	err = errors.Join(json.Unmarshal([]byte(running), &s.Running), json.Unmarshal([]byte(seconds), &s.Seconds),
		json.Unmarshal([]byte(limits), &s.Limits))
	if err != nil {
		return Scene{}, fmt.Errorf("look at what runs: %w", err)
	}
	return s, nil
}

// The first runs of a kind count fully, later ones by a tenth: what was learned
// follows the machines' load, and one odd run does not upset it.
var observe = postgres.SQL("validation.durations.observe", `
	INSERT INTO validation.durations AS d (kind, seconds, runs) VALUES (@kind, @seconds, 1)
	ON CONFLICT (kind) DO UPDATE SET runs = d.runs + 1,
		seconds = d.seconds + (excluded.seconds - d.seconds) * greatest(0.1, 1.0 / (d.runs + 1))`)

// Observe remembers how long a run of a kind kept a server busy.
func Observe(ctx context.Context, q postgres.Queryer, kind string, took time.Duration) error {
	_, err := q.Exec(ctx, observe, postgres.Args{"kind": kind, "seconds": took.Seconds()})
	return err
}

var beat = postgres.SQL("validation.workers.beat", `
	WITH gone AS (DELETE FROM validation.workers w WHERE w.seen_at < now() - interval '1 day')
	INSERT INTO validation.workers (name, slots, seen_at) VALUES (@name, @slots, now())
	ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, seen_at = excluded.seen_at`)

// Beat says that a server lives, and how many runs it judges at a time.
func Beat(ctx context.Context, q postgres.Queryer, name string, slots int) error {
	_, err := q.Exec(ctx, beat, postgres.Args{"name": name, "slots": slots})
	return err
}

var leave = postgres.SQL("validation.workers.leave", `DELETE FROM validation.workers WHERE name = @name`)

// Leave says that a server stops.
func Leave(ctx context.Context, q postgres.Queryer, name string) error {
	_, err := q.Exec(ctx, leave, postgres.Args{"name": name})
	return err
}
