package service

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/page"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/store"
)

// The size of a page.
const (
	defaultSize = 20
	maxSize     = 100
)

// Get implements tasks.Service.
func (s *Service) Get(ctx context.Context, actor auth.Actor, id string) (tasks.Task, error) {
	t, err := s.get(ctx, s.db.As(actor), actor, id)
	if err != nil || len(t.Validation.Files()) == 0 {
		return show(actor, t), err
	}
	contents, err := store.Files(ctx, s.db.As(actor), t.ID)
	if err != nil {
		return tasks.Task{}, err
	}
	t.Validation = t.Validation.WithContents(contents)
	if actor.IsSystem() {
		err = t.Validation.Whole() // who judges must not judge by half of the tests
	}
	if err != nil {
		return tasks.Task{}, fmt.Errorf("load task %s: %w", id, err)
	}
	return show(actor, t), nil
}

// GetTx implements tasks.Service.
func (s *Service) GetTx(ctx context.Context, tx *postgres.Tx, id string) (tasks.Task, error) {
	t, err := s.get(ctx, tx, tx.Actor(), id)
	return show(tx.Actor(), t), err
}

// LockTx implements tasks.Service.
func (s *Service) LockTx(ctx context.Context, tx *postgres.Tx, id string) (tasks.Task, error) {
	t, _, err := s.lockBoth(ctx, tx, id)
	return show(tx.Actor(), t), err
}

func (s *Service) get(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (tasks.Task, error) {
	return found(id, func() (*tasks.Task, error) { return store.Get(ctx, q, actor, id) })
}

// found turns nothing into ErrNotFound, and asks nothing about what is no id.
func found(id string, read func() (*tasks.Task, error)) (tasks.Task, error) {
	if _, err := uuid.Parse(id); err != nil {
		return tasks.Task{}, tasks.ErrNotFound.New(id)
	}
	t, err := read()
	if err != nil {
		return tasks.Task{}, fmt.Errorf("load task %s: %w", id, err)
	}
	if t == nil {
		return tasks.Task{}, tasks.ErrNotFound.New(id)
	}
	return *t, nil
}

// show takes out what the actor may not see.
func show(actor auth.Actor, t tasks.Task) tasks.Task {
	if !t.SeesHidden(actor) {
		t.Validation = t.Validation.WithoutHidden()
	}
	return t
}

func shown(actor auth.Actor, list []tasks.Task) []tasks.Task {
	for i, t := range list {
		list[i] = show(actor, t)
	}
	return list
}

// List implements tasks.Service.
func (s *Service) List(ctx context.Context, actor auth.Actor, q tasks.Query) (tasks.Page, error) {
	size := q.Size
	if size == 0 {
		size = defaultSize
	}
	if size < 1 || size > maxSize {
		var c goals.Checker
		c.Wrong("page_size", fmt.Sprintf("is %d, it may be 1 to %d", q.Size, maxSize), fmt.Sprintf("es %d, puede ser de 1 a %d", q.Size, maxSize))
		return tasks.Page{}, c.Err()
	}
	f := store.Filter{GoalID: q.GoalID, UserID: q.UserID, CourseID: q.CourseID, Statuses: q.Statuses, Types: q.Types}
	if f.GoalID != "" {
		id, err := uuid.Parse(f.GoalID)
		if err != nil {
			return tasks.Page{}, goals.ErrNotFound.New(f.GoalID)
		}
		f.GoalID = id.String()
	}
	if f.UserID == "" && f.GoalID == "" && (f.CourseID == "" || !actor.Teaches(f.CourseID)) {
		f.UserID = actor.UserID
	}
	scope := fmt.Sprintf("tasks status=%v type=%v goal=%q course=%q user=%q", sorted(f.Statuses), sorted(f.Types), f.GoalID, f.CourseID, f.UserID)
	after := store.First
	if err := page.Decode(q.Token, scope, &after); err != nil {
		return tasks.Page{}, err
	}
	for _, id := range []string{after.GoalID, after.ID} {
		if _, err := uuid.Parse(id); err != nil {
			return tasks.Page{}, errs.BadPageToken.New()
		}
	}
	// One more than asked for says whether there is a next page.
	list, err := store.List(ctx, s.db.As(actor), actor, f, after, size+1)
	if err != nil {
		return tasks.Page{}, err
	}
	result := tasks.Page{}
	if len(list) > size {
		list = list[:size]
		last := list[size-1]
		result.Next = page.Encode(scope, store.Key{GoalID: last.GoalID, Position: last.Position, ID: last.ID})
	}
	result.Tasks = shown(actor, list)
	return result, nil
}

func sorted[T ~string](words []T) []T {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}
