package service

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
)

// SubmitTx implements tasks.Service.
func (s *Service) SubmitTx(ctx context.Context, tx *postgres.Tx, id, snapshotID string, number int) (tasks.Task, error) {
	t, around, err := s.own(ctx, tx, id, nil)
	if err != nil {
		return tasks.Task{}, err
	}
	var c goals.Checker
	snapshot, err := uuid.Parse(snapshotID)
	if err != nil {
		c.Wrong("snapshot_id", "must be a UUID", "debe ser un UUID")
	}
	if number <= t.SnapshotNumber {
		c.Wrong("snapshot_number", fmt.Sprintf("is %d, the newest is %d", number, t.SnapshotNumber),
			fmt.Sprintf("es %d, la más reciente es la %d", number, t.SnapshotNumber))
	}
	if err := c.Err(); err != nil {
		return tasks.Task{}, err
	}
	changes, err := t.Submit(around, snapshot.String(), number)
	if err != nil {
		return tasks.Task{}, err
	}
	return s.follow(ctx, tx, t, changes)
}

// VerdictTx implements tasks.Service.
func (s *Service) VerdictTx(ctx context.Context, tx *postgres.Tx, id string, r tasks.Result) (tasks.Task, error) {
	if err := onlySystem(tx); err != nil {
		return tasks.Task{}, err
	}
	t, _, err := s.lockBoth(ctx, tx, id)
	if err != nil {
		return tasks.Task{}, err
	}
	return s.follow(ctx, tx, t, t.Judge(r))
}

// FeedbackTx implements tasks.Service.
func (s *Service) FeedbackTx(ctx context.Context, tx *postgres.Tx, id, text string) (tasks.Task, error) {
	if err := onlySystem(tx); err != nil {
		return tasks.Task{}, err
	}
	t, _, err := s.lockBoth(ctx, tx, id)
	if err != nil {
		return tasks.Task{}, err
	}
	change, err := t.Feed(text)
	if err != nil || change == nil {
		return t, err
	}
	return s.write(ctx, tx, t, change)
}

func onlySystem(tx *postgres.Tx) error {
	if tx.Actor().IsSystem() {
		return nil
	}
	return errs.Forbidden.New(errs.Say("verdicts and feedback come from the server", "los veredictos y los comentarios los pone el servidor"))
}
