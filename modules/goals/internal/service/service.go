// Package service does what may be done with goals.
package service

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/internal/convert"
	"github.com/goals-tracker/tracker/modules/goals/internal/store"
)

// Service implements goals.Service.
type Service struct {
	db      *postgres.DB
	log     *events.Log
	courses goals.CoursePolicy
}

// New makes the service; without a policy every course is open.
func New(db *postgres.DB, log *events.Log, courses goals.CoursePolicy) *Service {
	if courses == nil {
		courses = goals.AnyCourse{}
	}
	return &Service{db: db, log: log, courses: courses}
}

var _ goals.Service = (*Service)(nil)

// MayUseCourse implements goals.Service.
func (s *Service) MayUseCourse(ctx context.Context, actor auth.Actor, courseID string) error {
	return s.courses.MayUse(ctx, actor, courseID)
}

// CreateTx implements goals.Service.
func (s *Service) CreateTx(_ context.Context, tx *postgres.Tx, n goals.New) (goals.Goal, error) {
	if n.UserID == "" {
		n.UserID = tx.Actor().UserID
	}
	if n.UserID == "" || !tx.Actor().Owns(n.UserID) {
		return goals.Goal{}, errs.Forbidden.New(errs.Say("goals are made by the learner whose they are", "cada objetivo lo crea quien va a trabajar en él"))
	}
	change, err := goals.Create(n)
	if err != nil {
		return goals.Goal{}, err
	}
	id, err := newID(n.ID)
	if err != nil {
		return goals.Goal{}, err
	}
	g := goals.Goal{ID: id, UserID: n.UserID, Details: n.Details}
	next, err := s.append(tx, g, change)
	if err != nil {
		return goals.Goal{}, err
	}
	return *next, store.Insert(tx, *next)
}

// newID is the id that is asked for, or a new one.
func newID(asked string) (string, error) {
	if asked != "" {
		id, err := uuid.Parse(asked)
		if err != nil {
			return "", errs.BadInput.New(errs.Say("%q is no UUID", "%q no es un UUID", asked)).WithField("id", "must be a UUID")
		}
		return id.String(), nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make goal id: %w", err)
	}
	return id.String(), nil
}

// UpdateTx implements goals.Service.
func (s *Service) UpdateTx(ctx context.Context, tx *postgres.Tx, id string, version *int64, p goals.Patch) (goals.Goal, error) {
	g, err := s.own(ctx, tx, id, version)
	if err != nil {
		return goals.Goal{}, err
	}
	change, err := g.Update(p)
	if err != nil || change == nil {
		return g, err
	}
	return s.write(ctx, tx, g, change)
}

// StartTx implements goals.Service.
func (s *Service) StartTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (goals.Goal, error) {
	return s.act(ctx, tx, id, version, goals.Goal.Start)
}

// CompleteTx implements goals.Service.
func (s *Service) CompleteTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (goals.Goal, error) {
	g, err := s.act(ctx, tx, id, version, goals.Goal.Complete)
	if err != nil {
		return goals.Goal{}, err
	}
	return s.progress(ctx, tx, g, g.Finish())
}

// BlockTx implements goals.Service.
func (s *Service) BlockTx(ctx context.Context, tx *postgres.Tx, id string, version *int64, reason string) (goals.Goal, error) {
	return s.act(ctx, tx, id, version, func(g goals.Goal) (goals.Change, error) { return g.Block(reason) })
}

// CancelTx implements goals.Service.
func (s *Service) CancelTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (goals.Goal, error) {
	return s.act(ctx, tx, id, version, goals.Goal.Cancel)
}

// ReopenTx implements goals.Service.
func (s *Service) ReopenTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) (goals.Goal, error) {
	return s.act(ctx, tx, id, version, goals.Goal.Reopen)
}

// DeleteTx implements goals.Service.
func (s *Service) DeleteTx(ctx context.Context, tx *postgres.Tx, id string, version *int64) error {
	g, err := s.own(ctx, tx, id, version)
	if err != nil {
		return err
	}
	if _, err := s.append(tx, g, goals.Deleted{}); err != nil {
		return err
	}
	if g.Progress.Version > 0 {
		if _, err := s.progress(ctx, tx, g, &goals.Progressed{Ended: true}); err != nil {
			return err
		}
	}
	tx.SetValue(deleted{g.ID}, true)
	// After the reactions to goal.deleted: they still find what the row's
	// deletion would cascade to.
	tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error { return store.Delete(ctx, tx, g.ID) })
	return nil
}

// deleted is the key of what this unit of work knows of a goal it deleted.
type deleted struct{ goalID string }

// MarkCourseDeletedTx implements goals.Service.
func (s *Service) MarkCourseDeletedTx(ctx context.Context, tx *postgres.Tx, courseID string, limit int) (int, error) {
	if !tx.Actor().IsSystem() {
		return 0, errs.Forbidden.New(errs.Say("courses are deleted at the academy", "los cursos se eliminan en la academia"))
	}
	list, err := store.LockWithCourse(ctx, tx, tx.Actor(), courseID, limit)
	if err != nil {
		return 0, err
	}
	for _, g := range list {
		if change := g.MarkCourseDeleted(); change != nil {
			if _, err := s.write(ctx, tx, g, change); err != nil {
				return 0, err
			}
		}
	}
	return len(list), nil
}

// act does what changes a goal's status.
func (s *Service) act(ctx context.Context, tx *postgres.Tx, id string, version *int64, do func(goals.Goal) (goals.Change, error)) (goals.Goal, error) {
	g, err := s.own(ctx, tx, id, version)
	if err != nil {
		return goals.Goal{}, err
	}
	change, err := do(g)
	if err != nil {
		return goals.Goal{}, err
	}
	return s.write(ctx, tx, g, change)
}

// own locks a goal that the actor may change and compares its version.
func (s *Service) own(ctx context.Context, tx *postgres.Tx, id string, version *int64) (goals.Goal, error) {
	g, err := s.LockTx(ctx, tx, id)
	if err != nil {
		return goals.Goal{}, err
	}
	if !tx.Actor().Owns(g.UserID) {
		return goals.Goal{}, errs.Forbidden.New(errs.Say("only the learner whose goal it is changes it; a teacher may complete its tasks",
			"solo quien tiene el objetivo lo cambia; quien da el curso puede completar sus tareas"))
	}
	return g, goals.Expect(version, g.Version)
}

// write appends changes of a goal and writes the state they make.
func (s *Service) write(ctx context.Context, tx *postgres.Tx, g goals.Goal, changes ...goals.Change) (goals.Goal, error) {
	course := g.CourseID
	next, err := s.append(tx, g, changes...)
	if err != nil {
		return goals.Goal{}, err
	}
	if found, err := store.Update(ctx, tx, *next); err != nil {
		return goals.Goal{}, fmt.Errorf("write goal %s: %w", g.ID, err)
	} else if !found {
		return goals.Goal{}, fmt.Errorf("write goal %s: its row is gone though it was locked", g.ID)
	}
	if p := next.Progress; next.CourseID != course && p.Version > 0 {
		// The progress moves to the other course's teachers with its goal.
		return s.progress(ctx, tx, *next, &goals.Progressed{Percent: p.Percent, Total: p.Total, Completed: p.Completed, Manual: p.Manual})
	}
	return *next, nil
}

// append puts changes into the log and makes the next state; nil for a deleted goal.
func (s *Service) append(tx *postgres.Tx, g goals.Goal, changes ...goals.Change) (*goals.Goal, error) {
	next := &g
	for _, c := range changes {
		stream := events.Stream{Type: goals.StreamGoal, ID: g.ID, SubjectID: next.UserID, CourseID: next.CourseID}
		if u, ok := c.(goals.Updated); ok {
			stream.CourseID = u.Details.CourseID
		}
		appended := s.log.Append(tx, stream, next.Version, convert.Payload(g.ID, c))[0]
		var err error
		if next, err = fold(next, appended); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// fold makes the next state from an event.
func fold(g *goals.Goal, e events.Event) (*goals.Goal, error) {
	c, err := convert.Change(e.Data)
	if err != nil {
		return nil, err
	}
	return goals.Apply(g, c, goals.At{ID: e.Stream.ID, Time: e.OccurredAt, Version: e.Version}), nil
}
