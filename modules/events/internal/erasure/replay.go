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
	return e.replay(ctx, true)
}

// replay compares the ledger; unless always, only when the database has not
// heard of all of it.
func (e *Erasure) replay(ctx context.Context, always bool) (int, error) {
	hashes := e.vault.hashes()
	if len(hashes) == 0 {
		return 0, nil
	}
	unknown, err := e.unknown(ctx, hashes)
	if err != nil || len(unknown) == 0 && !always {
		return 0, err
	}
	e.learn(hashes...)
	back, err := e.back(ctx)
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
func (e *Erasure) back(ctx context.Context) ([]string, error) {
	var back []string
	seen := map[string]bool{}
	err := e.DB.InTx(ctx, postgres.As(e.system), func(ctx context.Context, tx *postgres.Tx) error {
		raw, p, err := e.planIn(ctx, tx)
		if err != nil {
			return err
		}
		for name, subject := range p.subjects {
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
