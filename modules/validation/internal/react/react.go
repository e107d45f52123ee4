// Package react is what validation does on others' events.
package react

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/service"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
)

// Register deletes a task's snapshots and runs with the task, in the same unit
// of work: a worker that is judging one finds its lease gone.
func Register(log *events.Log) {
	log.React("task.deleted", func(ctx context.Context, tx *postgres.Tx, e events.Event) error {
		deleted, ok := e.Data.(*tasksv1.TaskDeleted)
		if !ok {
			return fmt.Errorf("task.deleted holds a %T", e.Data)
		}
		return forget(ctx, tx, log, deleted.GetTaskId())
	})
}

func forget(ctx context.Context, tx *postgres.Tx, log *events.Log, taskID string) error {
	if err := store.Unqueue(ctx, tx, taskID); err != nil {
		return err
	}
	runs, err := store.LockRunsOf(ctx, tx, taskID)
	if err != nil {
		return err
	}
	for _, r := range runs {
		if _, err := service.Write(ctx, tx, log, r, validation.Ended{}); err != nil {
			return err
		}
	}
	return store.Forget(ctx, tx, taskID)
}
