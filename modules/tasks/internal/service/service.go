// Package service does what may be done with tasks.
package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/store"
)

// Service implements tasks.Service.
type Service struct {
	db    *postgres.DB
	log   *events.Log
	goals goals.Service
}

// New makes the service.
func New(db *postgres.DB, log *events.Log, g goals.Service) *Service {
	return &Service{db: db, log: log, goals: g}
}

var _ tasks.Service = (*Service)(nil)

// CreateTx implements tasks.Service.
func (s *Service) CreateTx(ctx context.Context, tx *postgres.Tx, goalID string, news ...tasks.New) ([]tasks.Task, error) {
	if len(news) == 0 {
		return nil, nil
	}
	g, err := s.goals.LockTx(ctx, tx, goalID)
	if err != nil {
		return nil, err
	}
	if !tx.Actor().Owns(g.UserID) {
		return nil, errs.Forbidden.New(errs.Say("only the learner whose goal it is adds tasks to it", "solo quien tiene el objetivo le añade tareas"))
	}
	if !g.Status.Open() {
		return nil, g.Closed()
	}
	siblings, err := store.Siblings(ctx, tx, tx.Actor(), g.ID)
	if err != nil {
		return nil, err
	}
	if len(siblings)+len(news) > tasks.MaxTasks {
		return nil, tasks.ErrTooMany.New(len(siblings))
	}
	if siblings, err = announce(siblings, news); err != nil {
		return nil, err
	}
	made := make([]tasks.Task, len(news))
	for i, n := range news {
		n.GoalID, n.CourseID = g.ID, g.CourseID
		change, err := tasks.Create(g.UserID, n, siblings)
		if err != nil {
			return nil, err
		}
		next, err := s.append(tx, tasks.Task{ID: n.ID, GoalID: g.ID, UserID: g.UserID, Details: n.Details}, change)
		if err != nil {
			return nil, err
		}
		made[i] = *next
		// Who comes last comes behind this one.
		at := slices.IndexFunc(siblings, func(t tasks.Task) bool { return t.ID == n.ID })
		siblings[at].Position = next.Position
	}
	if err := store.Insert(ctx, tx, made...); err != nil {
		return nil, err
	}
	for i, n := range news {
		if v := n.Validation; len(v.Files()) > 0 {
			if err := store.PutFiles(ctx, tx, made[i].ID, v, true); err != nil {
				return nil, err
			}
		}
	}
	s.tell(tx, g.ID, goals.TaskNews{})
	return shown(tx.Actor(), made), nil
}

// announce gives ids to those who have none, and lets all know of each other.
func announce(siblings []tasks.Task, news []tasks.New) ([]tasks.Task, error) {
	for i := range news {
		n := &news[i]
		if n.ID == "" {
			id, err := uuid.NewV7()
			if err != nil {
				return nil, fmt.Errorf("make task id: %w", err)
			}
			n.ID = id.String()
		}
		id, err := uuid.Parse(n.ID)
		if err != nil {
			var c goals.Checker
			c.Wrong("id", "must be a UUID", "debe ser un UUID")
			return nil, c.Err()
		}
		n.ID = id.String()
		if slices.ContainsFunc(siblings, func(t tasks.Task) bool { return t.ID == n.ID }) {
			return nil, tasks.ErrTaken.New(n.ID)
		}
		position := n.Position
		if n.Last {
			position = -1 // not placed yet
		}
		siblings = append(siblings, tasks.Task{
			ID: n.ID, Status: tasks.StatusTodo,
			Details: tasks.Details{Title: n.Title, Position: position, DependsOn: n.DependsOn},
		})
	}
	return siblings, nil
}

// UpdateTx implements tasks.Service.
func (s *Service) UpdateTx(ctx context.Context, tx *postgres.Tx, id string, version *int64, p tasks.Patch) (tasks.Task, error) {
	t, around, err := s.own(ctx, tx, id, version)
	if err != nil {
		return tasks.Task{}, err
	}
	change, err := t.Update(p, t.SeesHidden(tx.Actor()), others(around.Siblings, t.ID))
	if err != nil || change == nil {
		return show(tx.Actor(), t), err
	}
	next, err := s.write(ctx, tx, t, change)
	if err != nil {
		return tasks.Task{}, err
	}
	if u, ok := change.(tasks.Updated); ok && slices.Contains(u.Changed, "validation") {
		err = store.PutFiles(ctx, tx, t.ID, u.Details.Validation, false)
	}
	return show(tx.Actor(), next), err
}

// DeleteTx implements tasks.Service.
func (s *Service) DeleteTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) error {
	t, around, err := s.own(ctx, tx, id, version)
	if err != nil {
		return err
	}
	for _, sibling := range around.Siblings {
		if !slices.Contains(sibling.DependsOn, t.ID) {
			continue
		}
		waiting, err := found(sibling.ID, func() (*tasks.Task, error) { return store.Lock(ctx, tx, tx.Actor(), sibling.ID) })
		if err != nil {
			return err
		}
		if change := waiting.Forget(t.ID); change != nil {
			if _, err := s.write(ctx, tx, waiting, change); err != nil {
				return err
			}
		}
	}
	if _, err := s.append(tx, t, tasks.Deleted{}); err != nil {
		return err
	}
	if err := store.Delete(ctx, tx, t.ID); err != nil {
		return err
	}
	s.tell(tx, t.GoalID, goals.TaskNews{Closed: true})
	return nil
}

// StartTx implements tasks.Service.
func (s *Service) StartTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (tasks.Task, error) {
	return s.act(ctx, tx, id, version, tasks.Task.Start)
}

// SkipTx implements tasks.Service.
func (s *Service) SkipTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (tasks.Task, error) {
	return s.act(ctx, tx, id, version, tasks.Task.Skip)
}

// ReopenTx implements tasks.Service.
func (s *Service) ReopenTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (tasks.Task, error) {
	return s.act(ctx, tx, id, version, tasks.Task.Reopen)
}

// CompleteTx implements tasks.Service.
func (s *Service) CompleteTx(ctx context.Context, tx *postgres.Tx, id string, version *int64, actualHours *float64) (tasks.Task, error) {
	t, around, err := s.lock(ctx, tx, id, version)
	if err != nil {
		return tasks.Task{}, err
	}
	by, err := wordOf(tx.Actor(), t)
	if err != nil {
		return tasks.Task{}, err
	}
	changes, err := t.Complete(around, by, actualHours)
	if err != nil {
		return tasks.Task{}, err
	}
	return s.follow(ctx, tx, t, changes)
}

// wordOf says as what an actor completes a task: a teacher who learns gives
// their own word where that is enough.
func wordOf(actor auth.Actor, t tasks.Task) (tasks.CompletedBy, error) {
	switch own, teaches := actor.Owns(t.UserID), actor.Teaches(t.CourseID); {
	case actor.IsSystem():
		return "", errs.Forbidden.New(errs.Say("the system completes tasks by verdicts", "el sistema completa las tareas con veredictos"))
	case teaches && (!own || t.NeedsVerdict()):
		return tasks.ByTeacher, nil
	case own:
		return tasks.BySelf, nil
	default:
		return "", errs.Forbidden.New(errs.Say("a task is completed by its learner or a teacher of its course", "una tarea la completa quien la tiene o quien da su curso"))
	}
}

// act does what changes a task's status.
func (s *Service) act(ctx context.Context, tx *postgres.Tx, id string, version *int64, do func(tasks.Task, tasks.Around) ([]tasks.Change, error)) (tasks.Task, error) {
	t, around, err := s.own(ctx, tx, id, version)
	if err != nil {
		return tasks.Task{}, err
	}
	changes, err := do(t, around)
	if err != nil {
		return tasks.Task{}, err
	}
	return s.follow(ctx, tx, t, changes)
}

// own locks a task that the actor may change.
func (s *Service) own(ctx context.Context, tx *postgres.Tx, id string, version *int64) (tasks.Task, tasks.Around, error) {
	t, around, err := s.lock(ctx, tx, id, version)
	if err == nil && !tx.Actor().Owns(t.UserID) {
		err = errs.Forbidden.New(errs.Say("only the learner whose task it is changes it; a teacher may complete it",
			"solo quien tiene la tarea la cambia; quien da el curso puede completarla"))
	}
	return t, around, err
}

// lock locks the goal first, then the task, as everyone does, and reads what
// decisions depend on.
func (s *Service) lock(ctx context.Context, tx *postgres.Tx, id string, version *int64) (tasks.Task, tasks.Around, error) {
	t, g, err := s.lockBoth(ctx, tx, id)
	if err != nil {
		return tasks.Task{}, tasks.Around{}, err
	}
	siblings, err := store.Siblings(ctx, tx, tx.Actor(), t.GoalID)
	if err != nil {
		return tasks.Task{}, tasks.Around{}, err
	}
	return t, tasks.Around{Goal: g, Siblings: siblings}, goals.Expect(version, t.Version)
}

func (s *Service) lockBoth(ctx context.Context, tx *postgres.Tx, id string) (tasks.Task, goals.Goal, error) {
	t, err := s.get(ctx, tx, tx.Actor(), id)
	if err != nil {
		return tasks.Task{}, goals.Goal{}, err
	}
	g, err := s.goals.LockTx(ctx, tx, t.GoalID)
	if goals.ErrNotFound.Is(err) {
		return tasks.Task{}, goals.Goal{}, tasks.ErrNotFound.New(id) // deleted meanwhile, with its tasks
	}
	if err != nil {
		return tasks.Task{}, goals.Goal{}, err
	}
	// Again: the first reading may be older than the lock.
	t, err = found(id, func() (*tasks.Task, error) { return store.Lock(ctx, tx, tx.Actor(), id) })
	return t, g, err
}

func others(list []tasks.Task, id string) []tasks.Task {
	return slices.DeleteFunc(slices.Clone(list), func(t tasks.Task) bool { return t.ID == id })
}
