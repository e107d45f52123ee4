package work

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/forecast"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
)

const (
	// tellEvery is how often learners hear of a new place in the queue.
	tellEvery = time.Second
	// tellMost is how many hear of it; further back it changes too often to
	// matter.
	tellMost = 200
	// tellShare is how much longer the wait is than the telling, at least.
	tellShare = 20
)

// Run looks after the queue until ctx ends: it ends the leases of dead workers
// and tells learners where they stand.
func (w *Worker) Run(ctx context.Context) error {
	sweep, tell := time.NewTicker(w.cfg.SweepEvery), time.NewTicker(tellEvery)
	defer sweep.Stop()
	defer tell.Stop()
	w.sweep(ctx)
	defer w.leave(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			w.sweep(ctx)
		case <-tell.C:
			// A long queue is looked at less often.
			if took := w.tell(ctx); took > tellEvery/tellShare {
				tell.Reset(tellShare * took)
			} else {
				tell.Reset(tellEvery)
			}
		}
	}
}

// sweep gives each run of a dead worker a new ticket; the old one is River's to
// rescue, in an hour. As a net, runs that wait although nobody works get one too.
func (w *Worker) sweep(ctx context.Context) {
	if err := store.Beat(ctx, w.DB.As(system), w.name, w.cfg.Concurrency); err != nil && ctx.Err() == nil {
		w.Logger.Warn("other servers could not be told that this one judges", "error", err)
	}
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

// leave says that this server judges no more.
func (w *Worker) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.cfg.Lease)
	defer cancel()
	if err := store.Leave(ctx, w.DB.As(system), w.name); err != nil {
		w.Logger.Warn("other servers could not be told that this one stops", "error", err)
	}
}

// told is what a learner was told last.
type told struct {
	position int
	known    bool
	// done is when the verdict was said to come.
	done time.Time
}

// stale says whether what was told is by much another thing now.
func (t told) stale(next told, now time.Time) bool {
	if t.position != next.position || t.known != next.known {
		return true
	}
	return next.known && t.done.Sub(next.done).Abs() > max(time.Second, next.done.Sub(now)/4)
}

// tell pushes places and expectations that changed, and says how long that took.
func (w *Worker) tell(ctx context.Context) time.Duration {
	began := time.Now()
	view, err := forecast.Look(ctx, w.DB.As(system), tellMost, w.cfg.Alive())
	if err != nil {
		return 0 // it is told again in a moment
	}
	now := time.Now()
	next := make(map[string]told, len(view.Waiting))
	for _, p := range view.Waiting {
		t := told{position: p.Position, known: p.Estimate != nil}
		payload := map[string]any{"run_id": p.RunID, "snapshot_id": p.SnapshotID, "snapshot_number": p.SnapshotNumber,
			"task_id": p.TaskID, "position": p.Position}
		if t.known {
			t.done = now.Add(p.Estimate.End)
			payload["eta_ms"] = p.Estimate.End.Milliseconds()
		}
		if before, was := w.told[p.RunID]; was && !before.stale(t, now) {
			next[p.RunID] = before
			continue
		}
		next[p.RunID] = t
		w.push(p.UserID, validation.PushQueue, payload)
	}
	w.told = next
	return now.Sub(began)
}
