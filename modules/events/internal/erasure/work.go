package erasure

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
)

// batch is how many rows go in one unit of work.
var batch int64 = 2000

const (
	// rounds is how often what came in meanwhile is erased again.
	rounds = 5
	// endWithin bounds the wait for transactions from before.
	endWithin = time.Minute
)

// Work carries out erasures until none waits. It may run on any number of
// replicas, and be killed at any point.
func (e *Erasure) Work(ctx context.Context) error {
	for ctx.Err() == nil {
		j, found, err := e.take(ctx, nil)
		if err != nil || !found {
			return err
		}
		if err := e.carryOut(ctx, j); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// carryOut does a job, or has it wait when it can't.
func (e *Erasure) carryOut(ctx context.Context, j job) error {
	release := e.hold(ctx, j)
	err := e.do(ctx, &j)
	release()
	if err == nil || errors.Is(err, errTaken) || ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.Join(fmt.Errorf("erase a person: %w", err), e.postpone(context.WithoutCancel(ctx), j, err))
}

// unit runs a step in a unit of work that also notes what the step did; when it
// fails, so did the noting.
func (e *Erasure) unit(ctx context.Context, j *job, step string, fn func(raw pgx.Tx, j *job) error) error {
	if err := e.Between(step); err != nil {
		return err
	}
	after := *j
	err := e.DB.InTx(ctx, postgres.As(e.system), func(ctx context.Context, tx *postgres.Tx) error {
		after = *j
		after.found, after.erased, after.replaced = maps.Clone(j.found), maps.Clone(j.erased), maps.Clone(j.replaced)
		// Whole tables are read, however large: the time limit is for people's calls.
		if _, err := tx.Exec(ctx, takeTime, postgres.Args{}); err != nil {
			return err
		}
		raw, err := tx.PGX(ctx)
		if err != nil {
			return err
		}
		if err := fn(raw, &after); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		return e.save(ctx, tx, &after)
	})
	if err == nil {
		*j = after
	}
	return err
}

// planIn makes the plan on the tables that there are.
func (e *Erasure) planIn(ctx context.Context, tx *postgres.Tx) (pgx.Tx, plan, error) {
	raw, err := tx.PGX(ctx)
	if err != nil {
		return nil, plan{}, err
	}
	foreign, err := links(ctx, raw)
	if err != nil {
		return nil, plan{}, err
	}
	p, err := makePlan(e.Personal, foreign)
	return raw, p, err
}

func (e *Erasure) do(ctx context.Context, j *job) error {
	e.learn(j.hash)
	e.refuse(ctx, j.subject)
	e.spread(ctx)
	if err := e.forgetKey(j.subject); err != nil {
		return err
	}
	var p plan
	err := e.unit(ctx, j, "plan", func(raw pgx.Tx, _ *job) error {
		foreign, err := links(ctx, raw)
		if err == nil {
			p, err = makePlan(e.Personal, foreign)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := e.older(ctx); err != nil {
		return err
	}
	if j.found == nil {
		if err := e.unit(ctx, j, "count", func(raw pgx.Tx, j *job) error { return count(ctx, raw, p, j) }); err != nil {
			return err
		}
	}
	if err := e.jobs(ctx, j, p); err != nil {
		return err
	}
	var found Scan
	for round := range rounds {
		if err := e.round(ctx, j, p); err != nil {
			return err
		}
		if round == 0 {
			if err := e.settle(ctx); err != nil {
				return err
			}
			continue // what was under way may have left something
		}
		// Not before the others have read them: that somebody goes is among them.
		if err := e.fade(ctx, j, p); err != nil {
			return err
		}
		err := e.unit(ctx, j, "scan", func(raw pgx.Tx, j *job) (err error) {
			found, err = scan(ctx, raw, j.subject)
			return err
		})
		if err != nil {
			return err
		}
		if len(e.reachable(found, p)) == 0 {
			return e.finish(ctx, *j, found)
		}
	}
	return fmt.Errorf("something goes on writing rows of somebody who is being erased: %v", e.reachable(found, p))
}

// reachable are finds in columns that a round should have cleared.
func (e *Erasure) reachable(found Scan, p plan) []Left {
	ours := map[string]bool{}
	for name, subject := range p.subjects {
		ours[name+"."+subject] = true
	}
	for _, t := range p.fading {
		ours[t.table+"."+t.column] = true
	}
	for _, m := range p.mentions {
		ours[m.table+"."+m.column] = true
	}
	var left []Left
	for _, l := range found.Left {
		if ours[l.Column] {
			left = append(left, l)
		}
	}
	return left
}

// round erases all that is there now.
func (e *Erasure) round(ctx context.Context, j *job, p plan) error {
	for _, t := range p.targets {
		for more := true; more; {
			err := e.unit(ctx, j, "erase "+t.table, func(raw pgx.Tx, j *job) error {
				tag, err := raw.Exec(ctx, fmt.Sprintf("DELETE FROM %[1]s WHERE ctid = ANY(ARRAY(SELECT ctid FROM %[1]s WHERE %[2]s LIMIT %[3]d))",
					table(t.table), t.where, batch), pgx.NamedArgs{"subject": j.subject})
				more = tag.RowsAffected() >= batch
				addTo(&j.erased, t.table, tag.RowsAffected())
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	for _, m := range p.mentions {
		for more := true; more; {
			err := e.unit(ctx, j, "replace in "+m.table, func(raw pgx.Tx, j *job) error {
				value, where := "jsonb_set(%[2]s::jsonb, ARRAY[@key], '\"erased\"')::json", "%[2]s->>@key = @subject"
				if m.digest != "" {
					value, where = "'erased:' || gen_random_uuid()", "%[2]s = "+strings.ReplaceAll(m.digest, "%", "%%")
				}
				tag, err := raw.Exec(ctx, fmt.Sprintf("UPDATE %[1]s SET %[2]s = "+value+
					" WHERE ctid = ANY(ARRAY(SELECT ctid FROM %[1]s WHERE "+where+" LIMIT %[3]d))",
					table(m.table), ident(m.column), batch), pgx.NamedArgs{"key": m.key, "subject": j.subject})
				more = tag.RowsAffected() >= batch
				addTo(&j.replaced, m.table, tag.RowsAffected())
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// count notes what is there before anything goes.
func count(ctx context.Context, raw pgx.Tx, p plan, j *job) error {
	j.found = map[string]int64{}
	for _, t := range p.targets {
		var n int64
		err := raw.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", table(t.table), t.where), pgx.NamedArgs{"subject": j.subject}).Scan(&n)
		if err != nil {
			return fmt.Errorf("count %s: %w", t.table, err)
		}
		j.found[t.table] = n
	}
	return nil
}

// older waits for transactions that began to write before the tombstone could be
// seen.
func (e *Erasure) older(ctx context.Context) error {
	if err := e.Between("older"); err != nil {
		return err
	}
	var open []string
	err := e.DB.Pool().QueryRow(ctx, `
		SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}') FROM pg_locks
		WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()
		  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&open)
	for deadline := time.Now().Add(endWithin); err == nil && len(open) > 0; {
		err = e.DB.Pool().QueryRow(ctx, `
			SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}') FROM pg_locks
			WHERE locktype = 'virtualxid' AND virtualtransaction = ANY($1)`, open).Scan(&open)
		if err == nil && len(open) > 0 {
			if time.Now().After(deadline) {
				return fmt.Errorf("%d transactions from before it have not ended within %s", len(open), endWithin)
			}
			err = pause(ctx, 20*time.Millisecond)
		}
	}
	if err != nil {
		return fmt.Errorf("wait for transactions from before: %w", err)
	}
	return nil
}

// settle waits until every replica has heard, and what it had begun has ended.
func (e *Erasure) settle(ctx context.Context) error {
	if err := pause(ctx, e.Settle); err != nil {
		return err
	}
	return e.older(ctx)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// forgetKey removes the person's key, at the beginning and, since work that was
// under way may have made another, at the end.
func (e *Erasure) forgetKey(subject string) error {
	if e.Keys == nil {
		return nil
	}
	_, err := e.Keys.Forget(subject)
	return err
}

// finish says so in the log and signs the receipt, in one unit of work.
func (e *Erasure) finish(ctx context.Context, j job, found Scan) error {
	if err := errors.Join(e.Between("finish"), e.forgetKey(j.subject)); err != nil {
		return err
	}
	// What is in Redis ends by itself after a day.
	if e.Memory != nil && time.Since(j.requestedAt) < refuseFor {
		if err := e.Memory.Check(ctx); err != nil {
			return fmt.Errorf("all but what is in Redis is erased: %w", err)
		}
	}
	var r Receipt
	var sealed []byte
	err := e.DB.InTx(ctx, postgres.As(e.system), func(ctx context.Context, tx *postgres.Tx) error {
		at := e.Log.Now(tx)
		r = e.newReceipt(j, found, at)
		var err error
		if sealed, err = e.vault.seal(r); err != nil {
			return err
		}
		counts := map[string]int64{}
		for name, n := range j.erased {
			if n > 0 {
				counts[name] = n
			}
		}
		e.Log.Append(tx, events.Stream{Type: "erasure", ID: j.id.String()}, events.AnyVersion,
			&eventsv1.UserErased{SubjectHash: hex.EncodeToString(j.hash), Counts: counts})
		return e.finishTx(ctx, tx, j, at, sealed)
	})
	if err != nil {
		return err
	}
	e.Logger.Info("a person was erased", "erasure", j.id, "complete", r.Complete)
	if err := e.Between("receipt"); err != nil {
		return err
	}
	_, err = e.keep(r, sealed)
	return err
}

func (e *Erasure) newReceipt(j job, found Scan, at time.Time) Receipt {
	r := Receipt{
		Format: receiptFormat, ID: j.id.String(), SubjectHash: hex.EncodeToString(j.hash), KeyID: e.vault.keyID(), Source: j.source,
		RequestedAt: j.requestedAt.UTC(), FinishedAt: at.UTC(), Complete: len(found.Left) == 0, Tables: map[string]Count{},
		Elsewhere: elsewhere, Scan: found, Beyond: beyond,
	}
	for _, counts := range []map[string]int64{j.found, j.erased, j.replaced} {
		for name := range counts {
			// What came after the count was erased as well.
			c := Count{Before: max(j.found[name], j.erased[name]), Erased: j.erased[name], Replaced: j.replaced[name]}
			for _, l := range found.Left {
				if strings.HasPrefix(l.Column, name+".") {
					c.After += l.Rows
				}
			}
			r.Tables[name] = c
		}
	}
	return r
}
