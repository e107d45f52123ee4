package service

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/internal/store"
)

// Fold keeps goals.goals equal to the streams "goal".
type Fold struct{}

// StreamType implements events.Folder.
func (Fold) StreamType() string { return goals.StreamGoal }

// Tables implements events.Folder.
func (Fold) Tables() []events.Table { return []events.Table{{Name: "goals.goals", Key: "id"}} }

// Rows implements events.Folder.
func (Fold) Rows(history []events.Event) (map[string][]map[string]any, error) {
	g, err := foldAll(history)
	if g == nil || err != nil {
		return nil, err
	}
	return map[string][]map[string]any{"goals.goals": {store.Row(*g)}}, nil
}

// Restore implements events.Folder. It never deletes a row to insert it again:
// that would cascade to its tasks.
func (Fold) Restore(ctx context.Context, tx *postgres.Tx, id string, history []events.Event) error {
	g, err := foldAll(history)
	if err != nil {
		return err
	}
	if g == nil {
		return store.Delete(ctx, tx, id)
	}
	if found, err := store.Update(ctx, tx, *g); err != nil || found {
		return err
	}
	return store.Insert(tx, *g)
}

func foldAll(history []events.Event) (g *goals.Goal, err error) {
	for _, e := range history {
		if g, err = fold(g, e); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// ProgressFold keeps goals.goal_progress equal to the streams "goal-progress".
type ProgressFold struct{}

// StreamType implements events.Folder.
func (ProgressFold) StreamType() string { return goals.StreamProgress }

// Tables implements events.Folder.
func (ProgressFold) Tables() []events.Table {
	return []events.Table{{Name: "goals.goal_progress", Key: "goal_id"}}
}

// Rows implements events.Folder.
func (ProgressFold) Rows(history []events.Event) (map[string][]map[string]any, error) {
	p, err := foldAllProgress(history)
	if p == nil || err != nil {
		return nil, err
	}
	s := history[len(history)-1].Stream
	return map[string][]map[string]any{"goals.goal_progress": {store.ProgressRow(s.ID, s.SubjectID, s.CourseID, *p)}}, nil
}

// Restore implements events.Folder.
func (ProgressFold) Restore(ctx context.Context, tx *postgres.Tx, id string, history []events.Event) error {
	p, err := foldAllProgress(history)
	if err != nil {
		return err
	}
	if p == nil {
		return store.DeleteProgress(ctx, tx, id)
	}
	s := history[len(history)-1].Stream
	return store.PutProgress(ctx, tx, id, s.SubjectID, s.CourseID, *p)
}

func foldAllProgress(history []events.Event) (p *goals.Progress, err error) {
	for _, e := range history {
		if p, err = foldProgress(p, e); err != nil {
			return nil, err
		}
	}
	return p, nil
}
