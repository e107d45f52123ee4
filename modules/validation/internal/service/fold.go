package service

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
)

// Fold keeps validation.runs equal to the streams "run".
type Fold struct{}

// StreamType implements events.Folder.
func (Fold) StreamType() string { return validation.StreamRun }

// Tables implements events.Folder.
func (Fold) Tables() []events.Table { return []events.Table{{Name: "validation.runs", Key: "id"}} }

// Rows implements events.Folder.
func (Fold) Rows(history []events.Event) (map[string][]map[string]any, error) {
	r, err := foldAll(history)
	if r == nil || err != nil {
		return nil, err
	}
	return map[string][]map[string]any{"validation.runs": {store.RunRow(*r)}}, nil
}

// Restore implements events.Folder.
func (Fold) Restore(ctx context.Context, tx *postgres.Tx, id string, history []events.Event) error {
	r, err := foldAll(history)
	if err != nil {
		return err
	}
	if r == nil {
		return store.DeleteRun(ctx, tx, id)
	}
	return store.PutRun(ctx, tx, *r)
}

func foldAll(history []events.Event) (r *validation.Run, err error) {
	for _, e := range history {
		if r, err = fold(r, e); err != nil {
			return nil, err
		}
	}
	return r, nil
}
