package client

import (
	"context"
	"slices"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// MayUse implements academy.Service.
func (s *Service) MayUse(ctx context.Context, actor auth.Actor, courseID string) error {
	if deleted, err := s.CourseDeleted(ctx, s.System, courseID); err != nil {
		return err
	} else if deleted {
		return academy.ErrCourseNotFound.New(courseID)
	}
	claimed := actor.Has(auth.Admin) || slices.Contains(actor.CourseIDs, courseID)
	switch {
	case s.policy == academy.Open || actor.IsSystem():
		return nil
	case actor.Has(auth.Admin) && s.client == nil, s.policy == academy.Claims && claimed:
		return nil
	case s.client == nil:
		return academy.ErrNotYourCourse.New(courseID)
	}
	err := s.member(ctx, actor, courseID)
	if claimed && academy.ErrUnreachable.Is(err) {
		return nil // a dead academy keeps nobody from their work; the token is its word too
	}
	return err
}

// CourseDeleted implements academy.Service.
func (s *Service) CourseDeleted(ctx context.Context, q postgres.Queryer, courseID string) (bool, error) {
	if s.Deleted == nil {
		return false, nil
	}
	return s.Deleted(ctx, q, courseID)
}

// member asks whether there is the course and the actor belongs to it.
func (s *Service) member(ctx context.Context, actor auth.Actor, courseID string) error {
	if _, err := s.Course(ctx, courseID); err != nil || actor.Has(auth.Admin) {
		return err
	}
	courses, err := s.Courses(ctx, actor.UserID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(courses, func(m academy.Membership) bool { return m.ID == courseID }) {
		return academy.ErrNotYourCourse.New(courseID)
	}
	return nil
}

// Admit implements academy.Service.
func (s *Service) Admit(ctx context.Context, actor auth.Actor) (auth.Actor, error) {
	if s.client == nil || actor.IsSystem() {
		return actor, nil
	}
	ctx, cancel := context.WithTimeout(ctx, admitWithin)
	defer cancel()
	user, ok, err := s.users.get(ctx, actor.UserID, s.client.User)
	if err == nil && ok && !user.IsActive {
		return auth.Actor{}, academy.ErrInactive.New()
	}
	// The token holds: an academy that is slow, dead or knows nobody of the name
	// locks nobody out.
	if err != nil || !ok {
		return actor, nil
	}
	teaches := actor.Has(auth.Teacher)
	if !teaches && len(actor.CourseIDs) > 0 {
		return actor, nil
	}
	courses, _, err := s.members.get(ctx, actor.UserID, s.client.Courses)
	if err != nil {
		return actor, nil // what the token says is enough to go on
	}
	return withCourses(actor, courses, teaches), nil
}

// withCourses gives the actor the courses that they take part in, or teach:
// what a teacher's actor lists, they may act on.
func withCourses(actor auth.Actor, courses []academy.Membership, teaches bool) auth.Actor {
	actor.CourseIDs = slices.Clone(actor.CourseIDs)
	for _, m := range courses {
		if (!teaches || m.Role == string(auth.Teacher)) && auth.UsableID(m.ID) && !slices.Contains(actor.CourseIDs, m.ID) {
			actor.CourseIDs = append(actor.CourseIDs, m.ID)
		}
	}
	return actor
}
