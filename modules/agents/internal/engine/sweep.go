package engine

import (
	"context"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/store"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Sweep frees what killed workers held, makes tickets for what waits without
// one, and wakes runs that look for material by themselves.
func (e *Engine) Sweep(ctx context.Context) error {
	return e.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		n, err := store.Sweep(ctx, tx, e.cfg.SweepEvery, e.now())
		if err != nil {
			return err
		}
		e.tickets.Ticket(tx, min(n, 100), e.now())
		rows, err := store.ToWake(ctx, tx, e.now())
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.WaitingFor != agents.ForMaterial || e.graph(row.Graph, row.GraphVersion) == nil {
				continue
			}
			if err := e.Resume(ctx, tx, &row, struct{}{}); err != nil {
				return err
			}
		}
		return nil
	})
}
