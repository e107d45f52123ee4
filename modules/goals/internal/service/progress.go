package service

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/internal/convert"
	"github.com/goals-tracker/tracker/modules/goals/internal/store"
)

// SetProgressTx implements goals.Service.
func (s *Service) SetProgressTx(ctx context.Context, tx *postgres.Tx, id string, percent float64) (goals.Goal, error) {
	g, err := s.own(ctx, tx, id, nil)
	if err != nil {
		return goals.Goal{}, err
	}
	change, err := g.SetProgress(percent)
	if err != nil {
		return goals.Goal{}, err
	}
	return s.progress(ctx, tx, g, change)
}

// ProgressTx implements goals.Service.
func (s *Service) ProgressTx(ctx context.Context, tx *postgres.Tx, id string, news goals.TaskNews) error {
	if tx.Value(deleted{id}) != nil {
		return nil
	}
	// As the system: a teacher's act on a task moves a goal that only its
	// learner may write, and reactions run with the system's rights.
	found, err := store.Lock(ctx, tx, system, id)
	if err != nil {
		return err
	}
	if found == nil {
		return fmt.Errorf("follow tasks: there is no goal %s", id)
	}
	g, err := s.progress(ctx, tx, *found, found.Progress.Follow(news))
	if err != nil {
		return err
	}
	if changes := g.FollowTasks(news); len(changes) > 0 {
		_, err = s.write(ctx, tx, g, changes...)
	}
	return err
}

// progress appends a change of progress, if any, and writes what it makes.
func (s *Service) progress(ctx context.Context, tx *postgres.Tx, g goals.Goal, change *goals.Progressed) (goals.Goal, error) {
	if change == nil {
		return g, nil
	}
	stream := events.Stream{Type: goals.StreamProgress, ID: g.ID, SubjectID: g.UserID, CourseID: g.CourseID}
	e := s.log.Append(tx, stream, g.Progress.Version, convert.ProgressPayload(g.ID, *change))[0]
	next, err := foldProgress(&g.Progress, e)
	if err != nil {
		return goals.Goal{}, err
	}
	if next == nil {
		g.Progress = goals.Progress{}
		return g, store.DeleteProgress(ctx, tx, g.ID)
	}
	g.Progress = *next
	return g, store.PutProgress(ctx, tx, g.ID, g.UserID, g.CourseID, *next)
}

func foldProgress(p *goals.Progress, e events.Event) (*goals.Progress, error) {
	c, err := convert.Progressed(e.Data)
	if err != nil {
		return nil, err
	}
	return goals.ApplyProgress(p, c, goals.At{ID: e.Stream.ID, Time: e.OccurredAt, Version: e.Version}), nil
}
