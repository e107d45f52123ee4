package client_test

import (
	"log/slog"
	"testing"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/client"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
)

// replica is another service that remembers in the same Redis.
func (b *bundle) replica(t *testing.T, address string) *client.Service {
	t.Helper()
	s, err := client.NewService(b.cfg, client.Deps{Cache: remembering(t, address), Logger: slog.New(slog.DiscardHandler), Revocations: b.revocations})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestReplicasRememberTogetherInRedis(t *testing.T) {
	address := cachetest.URL(t)
	b := setup(t, nil)
	one, two := b.replica(t, address), b.replica(t, address)
	for range 2 {
		for _, s := range []*client.Service{one, two} {
			if course, err := s.Course(t.Context(), "python-basics-en"); err != nil || course.Title == "" {
				t.Fatalf("got %+v, %v", course, err)
			}
			if _, err := s.User(t.Context(), "nobody"); !academy.ErrUserNotFound.Is(err) {
				t.Fatalf("got %v", err)
			}
		}
	}
	if n := b.asked.Load(); n != 2 {
		t.Errorf("the academy was asked %d times", n)
	}
	one.LearnCourse(t.Context(), "python-basics-en", &academy.Course{ID: "python-basics-en", Title: "Told to one"})
	if course, err := two.Course(t.Context(), "python-basics-en"); err != nil || course.Title != "Told to one" {
		t.Errorf("the other says %+v, %v", course, err)
	}
	one.Forget(t.Context(), "nobody")
	_, _ = two.User(t.Context(), "nobody")
	if n := b.asked.Load(); n != 3 {
		t.Errorf("the academy was asked %d times", n)
	}
}

func TestARedisThatDiesCostsNobodyAnAnswer(t *testing.T) {
	redis := cachetest.Own(t)
	b := setup(t, nil)
	s := b.replica(t, redis.URL())
	for _, alive := range []bool{true, false} {
		if !alive {
			redis.Kill()
		}
		for range 3 {
			if course, err := s.Course(t.Context(), "python-basics-en"); err != nil || course.Title == "" {
				t.Errorf("alive %t: got %+v, %v", alive, course, err)
			}
		}
	}
	// With the academy dead too, what this process has asked since is given.
	b.down.Store(true)
	if course, err := s.Course(t.Context(), "python-basics-en"); err != nil || course.Title == "" {
		t.Errorf("got %+v, %v", course, err)
	}
}
