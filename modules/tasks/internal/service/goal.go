package service

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/store"
)

// system is as whom reactions read.
var system = auth.System("tasks")

// DeleteOfGoal deletes all tasks of a goal that was deleted. For reactions.
func (s *Service) DeleteOfGoal(ctx context.Context, tx *postgres.Tx, goalID string) error {
	list, err := store.LockOfGoal(ctx, tx, system, goalID)
	if err != nil || len(list) == 0 {
		return err
	}
	ids := make([]string, len(list))
	for i, t := range list {
		ids[i] = t.ID
		if _, err := s.append(tx, t, tasks.Deleted{}); err != nil {
			return err
		}
	}
	return store.Delete(ctx, tx, ids...)
}

// MoveOfGoal takes all tasks of a goal along to another course. For reactions.
func (s *Service) MoveOfGoal(ctx context.Context, tx *postgres.Tx, goalID, courseID string) error {
	list, err := store.LockOfGoal(ctx, tx, system, goalID)
	if err != nil {
		return err
	}
	for _, t := range list {
		if change := t.Move(courseID); change != nil {
			if _, err := s.write(ctx, tx, t, change); err != nil {
				return err
			}
		}
	}
	return nil
}
