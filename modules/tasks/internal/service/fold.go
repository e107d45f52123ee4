package service

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/store"
)

// Fold keeps tasks.tasks equal to the streams "task". The contents of files are
// facts beside it and stay as they are.
type Fold struct{}

// StreamType implements events.Folder.
func (Fold) StreamType() string { return tasks.Stream }

// Tables implements events.Folder.
func (Fold) Tables() []events.Table { return []events.Table{{Name: "tasks.tasks", Key: "id"}} }

// Rows implements events.Folder.
func (Fold) Rows(history []events.Event) (map[string][]map[string]any, error) {
	t, err := foldAll(history)
	if t == nil || err != nil {
		return nil, err
	}
	row, err := store.Row(*t)
	return map[string][]map[string]any{"tasks.tasks": {row}}, err
}

// Restore implements events.Folder.
func (Fold) Restore(ctx context.Context, tx *postgres.Tx, id string, history []events.Event) error {
	t, err := foldAll(history)
	if err != nil {
		return err
	}
	if t == nil {
		return store.Delete(ctx, tx, id)
	}
	if found, err := store.Update(ctx, tx, *t); err != nil || found {
		return err
	}
	return store.Insert(ctx, tx, *t)
}

func foldAll(history []events.Event) (t *tasks.Task, err error) {
	for _, e := range history {
		if t, err = fold(t, e); err != nil {
			return nil, err
		}
	}
	return t, nil
}
