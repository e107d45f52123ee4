package erasure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/privacy"
)

// riverJobs is the table of jobs.
const riverJobs = "river.river_job"

var jobsRun = postgres.SQL("events.erasures.jobs", `
	SELECT EXISTS (SELECT FROM river.river_job WHERE id = ANY (@ids::bigint[]) AND state = 'running')`)

// jobs deletes those that name something of the person, who still has it: after
// this, nobody knows what was theirs. Those that run are told to end first; one
// that doesn't loses its row, and whatever it writes then is refused.
func (e *Erasure) jobs(ctx context.Context, j *job, p plan) error {
	if !slices.ContainsFunc(e.Personal.Tables, func(t privacy.Table) bool { return t.Name == riverJobs }) {
		return nil
	}
	parts := []string{"SELECT split_part(stream_id, ':', 2) FROM " + streams + " WHERE subject_id = @subject"}
	for _, name := range slices.Sorted(maps.Keys(p.owners)) {
		parts = append(parts, fmt.Sprintf("SELECT id::text FROM %s WHERE %s = @subject", table(name), ident(p.owners[name])))
	}
	theirs := fmt.Sprintf("WITH theirs(id) AS MATERIALIZED (%s) ", strings.Join(parts, " UNION "))
	const named = ` EXISTS (SELECT FROM jsonb_path_query(j.args, '$.**') v JOIN theirs ON theirs.id = v #>> '{}' WHERE jsonb_typeof(v) = 'string')`
	remove := func(step, which string) error {
		return e.unit(ctx, j, step, func(raw pgx.Tx, j *job) error {
			tag, err := raw.Exec(ctx, theirs+"DELETE FROM river.river_job j WHERE "+which+named, pgx.NamedArgs{"subject": j.subject})
			addTo(&j.erased, riverJobs, tag.RowsAffected())
			return err
		})
	}
	if err := remove("jobs", "state <> 'running' AND"); err != nil {
		return err
	}
	var running []int64
	err := e.unit(ctx, j, "cancel jobs", func(raw pgx.Tx, j *job) error {
		// As River's own JobCancel does.
		rows, err := raw.Query(ctx, theirs+`
			, cancelled AS (
				UPDATE river.river_job j SET metadata = jsonb_set(metadata, '{cancel_attempted_at}', to_jsonb(now()))
				WHERE state = 'running' AND`+named+` RETURNING id, queue)
			SELECT id FROM cancelled, pg_notify('river.river_control', json_build_object('action', 'cancel', 'job_id', id, 'queue', queue)::text)`,
			pgx.NamedArgs{"subject": j.subject})
		if err == nil {
			running, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		return err
	})
	if err != nil || len(running) == 0 {
		return err
	}
	for end := time.Now().Add(e.Settle); time.Now().Before(end); {
		var still bool
		if err := e.DB.As(e.system).QueryRow(ctx, jobsRun, postgres.Args{"ids": running}).Scan(&still); err != nil {
			return fmt.Errorf("wait for jobs to end: %w", err)
		}
		if !still {
			break
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return remove("jobs that ran", "")
}

// fade deletes rows that would go by themselves, but name the person.
func (e *Erasure) fade(ctx context.Context, j *job, p plan) error {
	for _, f := range p.fading {
		err := e.unit(ctx, j, "erase "+f.table, func(raw pgx.Tx, j *job) error {
			all, err := columns(ctx, raw)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(all, func(c column) bool { return c.Table == f.table && c.Name == f.column })
			if i < 0 {
				return fmt.Errorf("%s.%s holds no text", f.table, f.column)
			}
			n := newNeedle(j.subject)
			tag, err := raw.Exec(ctx, fmt.Sprintf("DELETE FROM %s AS looked USING %s WHERE %s OR %s", table(f.table), sought,
				n.condition(all[i]), n.within("looked."+ident(f.column)+"::text", true)), n.args()...)
			addTo(&j.erased, f.table, tag.RowsAffected())
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
