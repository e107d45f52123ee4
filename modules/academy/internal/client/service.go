package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

// Service implements academy.Service over HTTP.
type Service struct {
	client  *Client
	policy  academy.Policy
	logger  *slog.Logger
	users   *Cache[academy.User]
	courses *Cache[academy.Course]
	members *Cache[[]academy.Membership]
}

// NewService makes the service; with no URL every lookup answers
// academy.ErrNotConfigured.
func NewService(cfg academy.Config, logger *slog.Logger) (*Service, error) {
	if !slices.Contains([]academy.Policy{academy.Open, academy.Claims, academy.Ask}, cfg.CoursePolicy) {
		return nil, fmt.Errorf("academy.course_policy is %q: use open, claims or academy", cfg.CoursePolicy)
	}
	s := &Service{policy: cfg.CoursePolicy, logger: logger}
	if cfg.URL != "" {
		s.client = New(cfg)
	}
	var err error
	if s.users, err = NewCache[academy.User](cfg.CacheSize, cfg.CacheLife, cfg.StaleLife); err != nil {
		return nil, fmt.Errorf("academy.cache_size is %d: %w", cfg.CacheSize, err)
	}
	if s.courses, err = NewCache[academy.Course](cfg.CacheSize, cfg.CacheLife, cfg.StaleLife); err != nil {
		return nil, err
	}
	if s.members, err = NewCache[[]academy.Membership](cfg.CacheSize, cfg.CacheLife, cfg.StaleLife); err != nil {
		return nil, err
	}
	return s, nil
}

// Check fails when the academy must not be used: the stand-in outside of
// development.
func (s *Service) Check(ctx context.Context) error {
	if s.client == nil {
		return nil
	}
	return s.client.Check(ctx)
}

// Close ends idle connections.
func (s *Service) Close() {
	if s.client != nil {
		s.client.Close()
	}
}

// User implements academy.Service.
func (s *Service) User(ctx context.Context, id string) (academy.User, error) {
	if s.client == nil {
		return academy.User{}, academy.ErrNotConfigured.New()
	}
	return answer[academy.User](s, "user", academy.ErrUserNotFound, id)(s.users.Get(ctx, id, s.client.User))
}

// Course implements academy.Service.
func (s *Service) Course(ctx context.Context, id string) (academy.Course, error) {
	if s.client == nil {
		return academy.Course{}, academy.ErrNotConfigured.New()
	}
	return answer[academy.Course](s, "course", academy.ErrCourseNotFound, id)(s.courses.Get(ctx, id, s.client.Course))
}

// Courses implements academy.Service.
func (s *Service) Courses(ctx context.Context, userID string) ([]academy.Membership, error) {
	if s.client == nil {
		return nil, academy.ErrNotConfigured.New()
	}
	return answer[[]academy.Membership](s, "courses of user", academy.ErrUserNotFound, userID)(s.members.Get(ctx, userID, s.client.Courses))
}

// MayUse implements academy.Service.
func (s *Service) MayUse(ctx context.Context, actor auth.Actor, courseID string) error {
	switch {
	case s.policy == academy.Open || actor.IsSystem():
		return nil
	case actor.Has(auth.Admin), s.policy == academy.Claims && slices.Contains(actor.CourseIDs, courseID):
		return nil
	case s.client == nil:
		return academy.ErrNotYourCourse.New(courseID)
	}
	if _, err := s.Course(ctx, courseID); err != nil {
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

// admitWithin is how long a request waits to hear whether its person is active.
const admitWithin = 300 * time.Millisecond

// Admit implements academy.Service.
func (s *Service) Admit(ctx context.Context, actor auth.Actor) error {
	if s.client == nil || actor.IsSystem() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, admitWithin)
	defer cancel()
	user, ok, err := s.users.Get(ctx, actor.UserID, s.client.User)
	if err == nil && ok && !user.IsActive {
		return academy.ErrInactive.New()
	}
	// The token holds: an academy that is slow, dead or knows nobody of the name
	// locks nobody out.
	return nil
}

// answer turns a lookup's three results into a value or the caller's error.
func answer[T any](s *Service, what string, none *errs.Kind, id string) func(T, bool, error) (T, error) {
	return func(value T, ok bool, err error) (T, error) {
		var zero T
		switch {
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			return zero, err
		case err != nil:
			s.logger.Warn("the academy can't be asked", "what", what, "error", err)
			return zero, academy.ErrUnreachable.New().Because(err)
		case !ok:
			return zero, none.New(id)
		}
		return value, nil
	}
}
