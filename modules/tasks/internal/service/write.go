package service

import (
	"context"
	"fmt"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/convert"
	"github.com/goals-tracker/tracker/modules/tasks/internal/store"
)

// follow writes changes of a task's status and lets its goal know.
func (s *Service) follow(ctx context.Context, tx *postgres.Tx, t tasks.Task, changes []tasks.Change) (tasks.Task, error) {
	next, err := s.write(ctx, tx, t, changes...)
	if err != nil {
		return tasks.Task{}, err
	}
	var news goals.TaskNews
	for _, c := range changes {
		switch c.(type) {
		case tasks.Started, tasks.Submitted:
			news.Started = true
		case tasks.Reopened:
			news.Reopened = true
		case tasks.Completed, tasks.Skipped:
			news.Closed = true
		}
	}
	s.tell(tx, t.GoalID, news)
	return show(tx.Actor(), next), nil
}

// write appends changes of a task and writes the state they make.
func (s *Service) write(ctx context.Context, tx *postgres.Tx, t tasks.Task, changes ...tasks.Change) (tasks.Task, error) {
	if len(changes) == 0 {
		return t, nil
	}
	next, err := s.append(tx, t, changes...)
	if err != nil {
		return tasks.Task{}, err
	}
	written, err := store.Update(ctx, tx, *next)
	if err != nil {
		return tasks.Task{}, fmt.Errorf("write task %s: %w", t.ID, err)
	}
	if !written {
		return tasks.Task{}, fmt.Errorf("write task %s: its row is gone though it was locked", t.ID)
	}
	return *next, nil
}

// append puts changes into the log and makes the next state; nil for a deleted task.
func (s *Service) append(tx *postgres.Tx, t tasks.Task, changes ...tasks.Change) (*tasks.Task, error) {
	next := &t
	for _, c := range changes {
		stream := events.Stream{Type: tasks.Stream, ID: t.ID, SubjectID: t.UserID, CourseID: next.CourseID}
		if u, ok := c.(tasks.Updated); ok && u.Details != nil {
			stream.CourseID = u.Details.CourseID
		}
		appended := s.log.Append(tx, stream, next.Version, convert.Payload(t.ID, t.GoalID, c))[0]
		var err error
		if next, err = fold(next, appended); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// fold makes the next state from an event.
func fold(t *tasks.Task, e events.Event) (*tasks.Task, error) {
	c, err := convert.Change(e.Data)
	if err != nil {
		return nil, err
	}
	return tasks.Apply(t, c, goals.At{ID: e.Stream.ID, Time: e.OccurredAt, Version: e.Version}), nil
}

// newsKey finds what a goal has to learn of this unit of work.
type newsKey struct{ goalID string }

// tell remembers news for a goal; it learns of them once, when the events'
// reactions run, however many tasks changed.
func (s *Service) tell(tx *postgres.Tx, goalID string, news goals.TaskNews) {
	if before, ok := tx.Value(newsKey{goalID}).(*goals.TaskNews); ok && before != nil {
		news.Started, news.Reopened, news.Closed = news.Started || before.Started, news.Reopened || before.Reopened, news.Closed || before.Closed
	}
	tx.SetValue(newsKey{goalID}, &news)
}

// TellGoal is the reaction to events of tasks: it passes on what was remembered.
func (s *Service) TellGoal(ctx context.Context, tx *postgres.Tx, e events.Event) error {
	about, ok := e.Data.(interface{ GetGoalId() string })
	if !ok {
		return fmt.Errorf("%s names no goal", e.Type)
	}
	goalID := about.GetGoalId()
	said, ok := tx.Value(newsKey{goalID}).(*goals.TaskNews)
	if !ok || said == nil {
		return nil
	}
	tx.SetValue(newsKey{goalID}, (*goals.TaskNews)(nil))
	news, err := store.Count(ctx, tx, goalID)
	if err != nil {
		return err
	}
	news.Started, news.Reopened, news.Closed = said.Started, said.Reopened, said.Closed
	return s.goals.ProgressTx(ctx, tx, goalID, news)
}
