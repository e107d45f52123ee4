package work

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
)

const (
	// tellEvery is how often learners hear of a new place in the queue.
	tellEvery = time.Second
	// tellMost is how many hear of it; further back it changes too often to
	// matter.
	tellMost = 200
)

// Run looks after the queue until ctx ends: it ends the leases of dead workers
// and tells learners where they stand.
func (w *Worker) Run(ctx context.Context) error {
	sweep, tell := time.NewTicker(w.cfg.SweepEvery), time.NewTicker(tellEvery)
	defer sweep.Stop()
	defer tell.Stop()
	w.sweep(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			w.sweep(ctx)
		case <-tell.C:
			w.tell(ctx)
		}
	}
}

// sweep gives each run of a dead worker a new ticket; the old one is River's to
// rescue, in an hour. As a net, runs that wait although nobody works get one too.
func (w *Worker) sweep(ctx context.Context) {
	err := w.DB.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) error {
		found, err := store.Sweep(ctx, tx)
		if err != nil {
			return err
		}
		tickets := len(found)
		if w.busy.Load() == 0 {
			waiting, err := store.Overdue(ctx, tx, 2*w.cfg.SweepEvery)
			if err != nil {
				return err
			}
			tickets += min(waiting, w.cfg.Concurrency)
		}
		for range tickets {
			w.Tickets.Issue(tx, time.Time{})
		}
		for _, id := range found {
			w.Logger.Warn("a worker was not heard of, so its run waits again", "run", id)
		}
		return store.Tidy(ctx, tx)
	})
	if err != nil && ctx.Err() == nil {
		w.Logger.Warn("the queue of runs could not be swept", "error", err)
	}
}

func (w *Worker) tell(ctx context.Context) {
	list, err := store.Places(ctx, w.DB.As(system), tellMost)
	if err != nil {
		return // it is told again in a moment
	}
	told := make(map[string]int, len(list))
	for _, p := range list {
		told[p.RunID] = p.Position
		if w.told[p.RunID] != p.Position {
			w.push(p.UserID, validation.PushQueue, map[string]any{
				"run_id": p.RunID, "snapshot_id": p.SnapshotID, "task_id": p.TaskID, "position": p.Position,
			})
		}
	}
	w.told = told
}
