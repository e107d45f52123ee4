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

// Deps are what the service stands on beside its settings. All may be left out.
type Deps struct {
	// Keeper keeps answers; defaults to this process' memory.
	Keeper Keeper
	// CourseDeleted reports whether the academy has said that a course is gone.
	CourseDeleted func(ctx context.Context, courseID string) (bool, error)
	// Revocations say whose answers must not be kept.
	Revocations *auth.Revocations
	// Tell has the other replicas call Heard.
	Tell   func(ctx context.Context, n Notice)
	Logger *slog.Logger
}

// Notice tells replicas that what they remember has changed.
type Notice struct {
	UserID   string `json:"u,omitempty"`
	CourseID string `json:"c,omitempty"`
	// From is the replica that knows it already.
	From string `json:"r,omitempty"`
}

// Service implements academy.Service over HTTP.
type Service struct {
	Deps
	client  *Client
	policy  academy.Policy
	pause   time.Duration
	users   *Cache[academy.User]
	courses *Cache[academy.Course]
	members *Cache[[]academy.Membership]
	stop    context.CancelFunc
}

var (
	_ academy.Service   = (*Service)(nil)
	_ auth.Introspector = (*Service)(nil)
)

// NewService makes the service; with no URL every lookup answers
// academy.ErrNotConfigured. Close it.
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
	if deps.Keeper == nil {
		memory, err := NewMemory(cfg.CacheSize)
		if err != nil {
			return nil, fmt.Errorf("academy.cache_size is %d: %w", cfg.CacheSize, err)
		}
		deps.Keeper = memory
	}
	s := &Service{Deps: deps, policy: cfg.CoursePolicy, pause: cfg.Pause}
	if cfg.URL != "" {
		s.client = New(cfg)
	}
	stopped, stop := context.WithCancel(context.Background()) //nolint:forbidigo // what runs beside requests ends with Close
	s.stop = stop
	l := lives{fresh: cfg.CacheLife, renewed: 10 * cfg.CacheLife, stale: cfg.StaleLife}
	person := func(id string) bool { return !deps.Revocations.Revoked(id) }
	s.users = newCache[academy.User](stopped, "user", deps.Keeper, l, person)
	s.members = newCache[[]academy.Membership](stopped, "courses", deps.Keeper, l, person)
	s.courses = newCache[academy.Course](stopped, "course", deps.Keeper, l, func(string) bool { return true })
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

// Close ends what runs in the background, and idle connections.
func (s *Service) Close() {
	s.stop()
	s.users.wait()
	s.members.wait()
	s.courses.wait()
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
		s.Logger.Warn("the academy can't be asked about tokens, so nobody can sign in", "error", err)
		return nil, errs.Busy.New("The academy's sign-in").Because(err).After(s.pause)
	}
	return claims, err
}

// lookup asks through the cache and turns its three results into a value or
// the caller's error.
func lookup[T any](ctx context.Context, s *Service, cache *Cache[T], ask func(*Client, context.Context, string) (T, bool, error), none *errs.Kind, id string) (T, error) {
	var zero T
	if s.client == nil {
		return zero, academy.ErrNotConfigured.New()
	}
	if !cache.mayKeep(id) {
		return zero, none.New(id) // being erased: nothing is asked about them
	}
	value, ok, err := cache.Get(ctx, id, func(ctx context.Context, id string) (T, bool, error) { return ask(s.client, ctx, id) })
	switch {
	case errors.Is(err, context.Canceled):
		return zero, err
	case err != nil:
		s.Logger.Warn("the academy can't be asked", "what", cache.kind, "error", err)
		return zero, academy.ErrUnreachable.New().Because(err).After(s.pause)
	case !ok:
		return zero, none.New(id)
	}
	return value, nil
}

// LearnUser remembers what the academy says of a person unasked, and has all
// replicas forget what they knew; nil says only that something has changed.
func (s *Service) LearnUser(ctx context.Context, id string, user *academy.User) {
	s.users.Learn(ctx, id, user)
	s.members.Learn(ctx, id, nil)
	s.tell(ctx, Notice{UserID: id})
}

// LearnCourse is LearnUser for a course.
func (s *Service) LearnCourse(ctx context.Context, id string, course *academy.Course) {
	s.courses.Learn(ctx, id, course)
	s.tell(ctx, Notice{CourseID: id})
}

// Forget implements academy.Service.
func (s *Service) Forget(ctx context.Context, userID string) { s.LearnUser(ctx, userID, nil) }

func (s *Service) tell(ctx context.Context, n Notice) {
	if n.UserID != "" && s.Revocations != nil {
		s.Revocations.Tell(n.UserID)
	}
	if s.Tell != nil {
		s.Tell(ctx, n)
	}
}

// Heard is told what another replica has learnt.
func (s *Service) Heard(ctx context.Context, n Notice) {
	if !s.Keeper.Shared() {
		if n.UserID != "" {
			s.users.Learn(ctx, n.UserID, nil)
			s.members.Learn(ctx, n.UserID, nil)
		}
		if n.CourseID != "" {
			s.courses.Learn(ctx, n.CourseID, nil)
		}
	}
	if n.UserID != "" && s.Revocations != nil {
		s.Revocations.Tell(n.UserID)
	}
}

// Missed is told that notices may have been missed: what is remembered here
// alone can't be trusted.
func (s *Service) Missed() {
	if memory, ok := s.Keeper.(*Memory); ok {
		memory.Purge()
	}
}

// admitWithin is how long a request waits to hear what the academy says of its
// person.
const admitWithin = 300 * time.Millisecond
