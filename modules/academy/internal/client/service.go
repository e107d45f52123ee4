package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Deps are what the service stands on beside its settings.
type Deps struct {
	// Cache remembers answers. Required.
	Cache *cache.Cache
	// System asks the database as the system.
	System postgres.Queryer
	// Deleted reports whether the academy has said that a course is gone; nil knows
	// of none.
	Deleted func(ctx context.Context, q postgres.Queryer, courseID string) (bool, error)
	// Revocations say whose answers must not be kept.
	Revocations *auth.Revocations
	// Tell has the other replicas' Revocations tell that something has changed about
	// a person.
	Tell   func(ctx context.Context, userID string)
	Logger *slog.Logger
}

// Service implements academy.Service over HTTP.
type Service struct {
	Deps
	client  *Client
	policy  academy.Policy
	pause   time.Duration
	users   *answers[academy.User]
	courses *answers[academy.Course]
	members *answers[[]academy.Membership]
	// warnings come once in a pause: every request of an outage would make one.
	warnings struct{ tokens, lookups rate.Sometimes }
}

var (
	_ academy.Service   = (*Service)(nil)
	_ auth.Introspector = (*Service)(nil)
)

// NewService makes the service; with no URL every lookup answers
// academy.ErrNotConfigured.
func NewService(cfg academy.Config, deps Deps) (*Service, error) {
	if cfg.CoursePolicy == "claim" {
		cfg.CoursePolicy = academy.Claims
	}
	if !slices.Contains([]academy.Policy{academy.Open, academy.Claims, academy.Ask}, cfg.CoursePolicy) {
		return nil, fmt.Errorf("academy.course_policy is %q: use open, claims or academy", cfg.CoursePolicy)
	}
	if deps.Logger == nil {
		deps.Logger = slog.Default()
	}
	s := &Service{Deps: deps, policy: cfg.CoursePolicy, pause: cfg.Pause}
	s.warnings.tokens.Interval, s.warnings.lookups.Interval = cfg.Pause, cfg.Pause
	if cfg.URL != "" {
		s.client = New(cfg)
	}
	person := func(id string) bool { return !deps.Revocations.Revoked(id) }
	s.users = newAnswers[academy.User]("user", deps.Cache, cfg, person)
	s.members = newAnswers[[]academy.Membership]("courses", deps.Cache, cfg, person)
	s.courses = newAnswers[academy.Course]("course", deps.Cache, cfg, func(string) bool { return true })
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
	return lookup(ctx, s, s.users, (*Client).User, academy.ErrUserNotFound, id)
}

// Course implements academy.Service.
func (s *Service) Course(ctx context.Context, id string) (academy.Course, error) {
	return lookup(ctx, s, s.courses, (*Client).Course, academy.ErrCourseNotFound, id)
}

// Courses implements academy.Service.
func (s *Service) Courses(ctx context.Context, userID string) ([]academy.Membership, error) {
	return lookup(ctx, s, s.members, (*Client).Courses, academy.ErrUserNotFound, userID)
}

// Introspect implements auth.Introspector.
func (s *Service) Introspect(ctx context.Context, token string) ([]byte, error) {
	if s.client == nil {
		return nil, academy.ErrNotConfigured.New()
	}
	claims, err := s.client.Validate(ctx, token)
	var refusal *errs.Error
	if err != nil && !errors.As(err, &refusal) {
		s.warnings.tokens.Do(func() {
			s.Logger.Warn("the academy can't be asked about tokens, so nobody can sign in", "error", err)
		})
		return nil, errs.Busy.New(errs.Say("The academy's sign-in", "El inicio de sesión de la academia")).Because(err).After(s.pause)
	}
	return claims, err
}

// lookup asks through the cache and turns its three results into a value or
// the caller's error.
func lookup[T any](ctx context.Context, s *Service, known *answers[T], ask func(*Client, context.Context, string) (T, bool, error), none *errs.Kind, id string) (T, error) {
	var zero T
	if s.client == nil {
		return zero, academy.ErrNotConfigured.New()
	}
	if !known.mayKeep(id) {
		return zero, none.New(id) // being erased: nothing is asked about them
	}
	value, ok, err := known.get(ctx, id, func(ctx context.Context, id string) (T, bool, error) { return ask(s.client, ctx, id) })
	switch {
	case errors.Is(err, context.Canceled):
		return zero, err
	case err != nil:
		s.warnings.lookups.Do(func() { s.Logger.Warn("the academy can't be asked", "what", known.kind, "error", err) })
		return zero, academy.ErrUnreachable.New().Because(err).After(s.pause)
	case !ok:
		return zero, none.New(id)
	}
	return value, nil
}

// LearnUser remembers what the academy says of a person unasked; nil says only
// that something has changed, and all replicas forget what they knew.
func (s *Service) LearnUser(ctx context.Context, id string, user *academy.User) {
	s.users.learn(ctx, id, user)
	s.members.learn(ctx, id, nil)
	if s.Revocations != nil {
		s.Revocations.Tell(id)
	}
	if s.Tell != nil {
		s.Tell(ctx, id)
	}
}

// LearnCourse is LearnUser for a course.
func (s *Service) LearnCourse(ctx context.Context, id string, course *academy.Course) {
	s.courses.learn(ctx, id, course)
}

// Forget implements academy.Service.
func (s *Service) Forget(ctx context.Context, userID string) { s.LearnUser(ctx, userID, nil) }

// admitWithin is how long a request waits to hear what the academy says of its
// person.
const admitWithin = 300 * time.Millisecond
