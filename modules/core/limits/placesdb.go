package limits

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var (
	takePlace = postgres.SQL("core.limits.take_place", `SELECT core.take_place(@person, @kind, @replica, @mine, @most)`)
	alive     = postgres.SQL("core.limits.alive", `
		UPDATE core.limit_replicas SET alive_until = clock_timestamp() + @life::interval
		WHERE id = @replica AND alive_until > clock_timestamp()`)
	declare = postgres.SQL("core.limits.declare", `
		INSERT INTO core.limit_replicas (id, alive_until) VALUES (@replica, clock_timestamp() + @life::interval)
		ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until`)
	declarePlaces = postgres.SQL("core.limits.declare_places", `
		INSERT INTO core.limit_places (subject_id, name, replica, held)
		SELECT p.person, @kind, @replica, p.held FROM unnest(@people::text[], @held::bigint[]) AS p (person, held)
		ON CONFLICT (subject_id, name, replica) DO UPDATE SET held = excluded.held`)
	leavePlace  = postgres.SQL("core.limits.leave_place", `DELETE FROM core.limit_places WHERE subject_id = @person AND name = @kind AND replica = @replica`)
	leavePlaces = postgres.SQL("core.limits.leave_places", `DELETE FROM core.limit_places WHERE replica = @replica`)
	leave       = postgres.SQL("core.limits.leave", `DELETE FROM core.limit_replicas WHERE id = @replica`)
)

// enter implements placer.
func (d *database) enter(ctx context.Context, r holder, person string, mine, most int) (ok bool, err error) {
	err = d.with(ctx, func(ctx context.Context) error {
		var known *bool
		for range 2 {
			row := d.db.As(system).QueryRow(ctx, takePlace, postgres.Args{
				"person": person, "kind": r.kind, "replica": r.replica, "mine": int64(mine), "most": int64(most),
			})
			if err := row.Scan(&known); err != nil {
				return err
			}
			if known != nil {
				ok = *known
				return nil
			}
			if err := d.declare(ctx, r); err != nil {
				return err
			}
		}
		return fmt.Errorf("the replica is taken for dead within %s", r.life)
	})
	if err != nil {
		return false, fmt.Errorf("take a place of %s: %w", r.kind, err)
	}
	return ok, nil
}

// declare says what the replica holds: at its first place, and after the database
// has lost it or took the replica for dead.
func (d *database) declare(ctx context.Context, r holder) error {
	return d.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, declare, postgres.Args{"replica": r.replica, "life": r.life}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, leavePlaces, postgres.Args{"replica": r.replica}); err != nil {
			return err
		}
		return d.write(ctx, tx, r, r.all())
	})
}

func (d *database) write(ctx context.Context, q postgres.Queryer, r holder, mine map[string]int) error {
	people, held := make([]string, 0, len(mine)), make([]int64, 0, len(mine))
	for person, n := range mine {
		people, held = append(people, person), append(held, int64(n))
	}
	_, err := q.Exec(ctx, declarePlaces, postgres.Args{"kind": r.kind, "replica": r.replica, "people": people, "held": held})
	return err
}

// put implements placer.
func (d *database) put(ctx context.Context, r holder, person string, mine int) error {
	err := d.with(ctx, func(ctx context.Context) (err error) {
		if mine > 0 {
			return d.write(ctx, d.db.As(system), r, map[string]int{person: mine})
		}
		_, err = d.db.As(system).Exec(ctx, leavePlace, postgres.Args{"person": person, "kind": r.kind, "replica": r.replica})
		return err
	})
	if err != nil {
		return fmt.Errorf("say what is held of %s: %w", r.kind, err)
	}
	return nil
}

// renew implements placer.
func (d *database) renew(ctx context.Context, r holder) error {
	err := d.with(ctx, func(ctx context.Context) error {
		tag, err := d.db.As(system).Exec(ctx, alive, postgres.Args{"replica": r.replica, "life": r.life})
		if err != nil || tag.RowsAffected() > 0 {
			return err
		}
		return d.declare(ctx, r)
	})
	if err != nil {
		return fmt.Errorf("hold on to places of %s: %w", r.kind, err)
	}
	return nil
}

// end implements placer.
func (d *database) end(ctx context.Context, r holder) error {
	for _, statement := range []*postgres.Statement{leave, leavePlaces} {
		if _, err := d.db.As(system).Exec(ctx, statement, postgres.Args{"replica": r.replica}); err != nil {
			return fmt.Errorf("give places of %s back: %w", r.kind, err)
		}
	}
	return nil
}
