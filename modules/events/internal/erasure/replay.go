package erasure

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Replay erases again everybody in the ledger of whom the database has
// something: it was restored from a backup of before. It gives how many they are.
// Their erasures are begun; Work carries them out.
func (e *Erasure) Replay(ctx context.Context) (int, error) {
	if err := e.Load(ctx); err != nil {
		return 0, err
	}
	return e.replay(ctx, everything)
}

// look compares the database with what was last seen of it, and says after which
// number tombstones are news. One that is another than before, or knows of fewer
// erasures, was restored under this process.
func (e *Erasure) look(ctx context.Context) (after int64, err error) {
	now, err := e.state(ctx)
	if err != nil {
		return 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if before := e.known; before.epoch != "" && (now.epoch != before.epoch || now.count < before.count || now.last < before.last) {
		e.Logger.Warn("the database is not the one of before: it is compared with the ledger of erasures", "erasures", now.count, "before", before.count)
		e.restored, e.number = true, 0
	}
	e.known = now
	return e.number, nil
}

// seen says whether the database was restored, and whether somebody was erased
// lately.
func (e *Erasure) seen() (restored, late bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.restored, e.known.late
}

// again replays the ledger by itself.
func (e *Erasure) again(ctx context.Context, how comparison) error {
	n, err := e.replay(ctx, how)
	if err != nil {
		return err
	}
	if how == everything {
		e.mu.Lock()
		e.restored = false
		e.mu.Unlock()
	}
	if n > 0 {
		e.Logger.Warn("people of the ledger of erasures were in the database and are erased again", "people", n)
	}
	return nil
}

// comparison is how much of the database is compared with the ledger.
type comparison int

const (
	// everything there is.
	everything comparison = iota
	// unlessKnown: nothing when the database has heard of the whole ledger.
	unlessKnown
	// lately: all but events, which is much; their streams name the same people.
	lately
)

// replay compares the ledger with the database, and begins the erasures of who
// is back.
func (e *Erasure) replay(ctx context.Context, how comparison) (int, error) {
	hashes := e.vault.hashes()
	if len(hashes) == 0 {
		return 0, nil
	}
	unknown, err := e.unknown(ctx, hashes)
	if err != nil || len(unknown) == 0 && how == unlessKnown {
		return 0, err
	}
	e.learn(hashes...)
	back, err := e.back(ctx, how)
	if err != nil {
		return 0, err
	}
	for _, subject := range back {
		if err := e.Begin(ctx, subject, "ledger"); err != nil {
			return 0, err
		}
	}
	// The others are noted, so that the next start need not look again.
	unknown, err = e.unknown(ctx, hashes)
	for i := 0; err == nil && i < len(unknown); i++ {
		err = e.setDone(ctx, unknown[i])
	}
	return len(back), err
}

// back are the people in the database who are in the ledger: the hash of
// everybody is compared, since the ledger names nobody.
func (e *Erasure) back(ctx context.Context, how comparison) ([]string, error) {
	var back []string
	seen := map[string]bool{}
	err := e.DB.InTx(ctx, postgres.As(e.system), func(ctx context.Context, tx *postgres.Tx) error {
		raw, p, err := e.planIn(ctx, tx)
		if err == nil {
			_, err = tx.Exec(ctx, takeTime, postgres.Args{})
		}
		if err != nil {
			return err
		}
		for name, subject := range p.subjects {
			if how == lately && name == "events.events" {
				continue
			}
			rows, err := raw.Query(ctx, fmt.Sprintf("SELECT DISTINCT %[2]s FROM %[1]s WHERE %[2]s IS NOT NULL", table(name), ident(subject)))
			if err != nil {
				return fmt.Errorf("look for people in %s: %w", name, err)
			}
			var id string
			if _, err := pgx.ForEachRow(rows, []any{&id}, func() error {
				if !seen[id] && e.Erased(id) {
					back = append(back, id)
				}
				seen[id] = true
				return nil
			}); err != nil {
				return fmt.Errorf("look for people in %s: %w", name, err)
			}
		}
		return nil
	})
	return back, err
}
