package service

import (
	"context"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
)

// List queues the runs of a re-judging, from where it was left off. Each task is
// a unit of work of its own: learners who submit meanwhile wait for one at most,
// and a server that dies loses nothing and does nothing twice.
func (s *Service) List(ctx context.Context, id string) error {
	s.catalog.Load(ctx)
	for {
		more := false
		err := s.db.InTx(ctx, postgres.As(system), func(ctx context.Context, tx *postgres.Tx) (err error) {
			more, err = s.listOne(ctx, tx, id)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// listOne looks at the next task; false when all were.
func (s *Service) listOne(ctx context.Context, tx *postgres.Tx, id string) (more bool, err error) {
	listing, err := store.LockListing(ctx, tx, id)
	if err != nil || listing == nil {
		return false, err
	}
	taskID, err := listing.NextTask(ctx, tx)
	if err != nil {
		return false, err
	}
	if taskID == "" {
		return false, listing.Move(ctx, tx, "", false)
	}
	queued, err := s.again(ctx, tx, taskID, listing.ID)
	if err != nil {
		return false, err
	}
	return true, listing.Move(ctx, tx, taskID, !queued)
}

// again queues a task's newest snapshot once more, unless a run of the task
// waits or runs anyway, or nothing here judges it.
func (s *Service) again(ctx context.Context, tx *postgres.Tx, taskID, rejudgingID string) (queued bool, err error) {
	task, err := s.tasks.LockTx(ctx, tx, taskID)
	if tasks.ErrNotFound.Is(err) {
		return false, nil // deleted meanwhile
	}
	if err != nil {
		return false, err
	}
	if busy, err := store.InQueue(ctx, tx, task.ID); err != nil || busy {
		return false, err
	}
	newest, err := store.NewestOf(ctx, tx, task.ID)
	if err != nil || newest == nil {
		return false, err
	}
	match, ok := s.catalog.Find(newest.Language)
	if !ok {
		return false, nil
	}
	_, err = s.queue(ctx, tx, task, validation.Queued{
		SnapshotID: newest.SnapshotID, SnapshotNumber: newest.Number, Plugin: match.Plugin,
		Reason: validation.ReasonRejudged, RejudgingID: rejudgingID, PreviousVerdict: newest.Verdict,
	}, newest.Language)
	if err == nil {
		s.tickets.Issue(tx, time.Time{})
	}
	return err == nil, err
}
