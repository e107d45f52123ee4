package service

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/page"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/internal/store"
)

var system = auth.System("goals")

// The size of a page.
const (
	defaultSize = 20
	maxSize     = 100
)

// Get implements goals.Service.
func (s *Service) Get(ctx context.Context, actor auth.Actor, id string) (goals.Goal, error) {
	return found(id, func() (*goals.Goal, error) { return store.Get(ctx, s.db.As(actor), actor, id) })
}

// GetTx implements goals.Service.
func (s *Service) GetTx(ctx context.Context, tx *postgres.Tx, id string) (goals.Goal, error) {
	return found(id, func() (*goals.Goal, error) { return store.Get(ctx, tx, tx.Actor(), id) })
}

// LockTx implements goals.Service.
func (s *Service) LockTx(ctx context.Context, tx *postgres.Tx, id string) (goals.Goal, error) {
	return found(id, func() (*goals.Goal, error) { return store.Lock(ctx, tx, tx.Actor(), id) })
}

// found turns nothing into ErrNotFound, and asks nothing about what is no id.
func found(id string, read func() (*goals.Goal, error)) (goals.Goal, error) {
	if _, err := uuid.Parse(id); err != nil {
		return goals.Goal{}, goals.ErrNotFound.New(id)
	}
	g, err := read()
	if err != nil {
		return goals.Goal{}, fmt.Errorf("load goal %s: %w", id, err)
	}
	if g == nil {
		return goals.Goal{}, goals.ErrNotFound.New(id)
	}
	return *g, nil
}

// List implements goals.Service.
func (s *Service) List(ctx context.Context, actor auth.Actor, q goals.Query) (goals.Page, error) {
	size := q.Size
	if size == 0 {
		size = defaultSize
	}
	if size < 1 || size > maxSize {
		return goals.Page{}, errs.BadInput.New(errs.Say("page_size is %d, it may be 1 to %d", "page_size es %d y puede ser de 1 a %d", q.Size, maxSize)).
			WithField("page_size", fmt.Sprintf("may be 1 to %d", maxSize))
	}
	f := store.Filter{UserID: q.UserID, CourseID: q.CourseID, Statuses: q.Statuses}
	if f.UserID == "" && (f.CourseID == "" || !actor.Teaches(f.CourseID)) {
		f.UserID = actor.UserID
	}
	statuses := slices.Clone(q.Statuses)
	slices.Sort(statuses)
	scope := fmt.Sprintf("goals status=%v course=%q user=%q", slices.Compact(statuses), f.CourseID, f.UserID)
	after := store.Newest
	if err := page.Decode(q.Token, scope, &after); err != nil {
		return goals.Page{}, err
	}
	if _, err := uuid.Parse(after.ID); err != nil {
		return goals.Page{}, errs.BadPageToken.New()
	}
	// One more than asked for says whether there is a next page.
	list, err := store.List(ctx, s.db.As(actor), actor, f, after, size+1)
	if err != nil {
		return goals.Page{}, err
	}
	result := goals.Page{Goals: list}
	if len(list) > size {
		last := list[size-1]
		result.Goals, result.Next = list[:size], page.Encode(scope, store.Key{At: last.CreatedAt, ID: strings.ToLower(last.ID)})
	}
	return result, nil
}
