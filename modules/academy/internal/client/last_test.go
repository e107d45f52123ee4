package client_test

import (
	"context"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/client"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
)

func TestWhatWasHeardMeanwhileIsTheLastWordOfAnAcademyThatDies(t *testing.T) {
	b := setup(t, func(cfg *academy.Config) { cfg.CacheLife = 20 * time.Millisecond })
	b.slow.Store(int64(300 * time.Millisecond))
	done := make(chan struct{})
	go func() { defer close(done); _, _ = b.service.Course(context.Background(), "python-basics-en") }()
	eventually(t, "the question reaches the academy", func() bool { return b.asked.Load() == 1 })
	b.service.LearnCourse(t.Context(), "python-basics-en", &academy.Course{ID: "python-basics-en", Title: "Told meanwhile"})
	<-done
	b.down.Store(true)
	time.Sleep(250 * time.Millisecond) // until it is only given when nobody can be asked
	if got := b.title(t); got != "Told meanwhile" {
		t.Errorf("got %q", got)
	}
}

func TestWhomTheAcademyCalledInactiveStaysOutWhileItIsSlow(t *testing.T) {
	b := setup(t, func(cfg *academy.Config) { cfg.CacheLife = 20 * time.Millisecond })
	for name, s := range map[string]*client.Service{"memory": b.service, "redis": b.replica(t, cachetest.URL(t))} {
		b.slow.Store(0)
		iris := auth.Actor{UserID: "learner-iris", CourseIDs: []string{"python-basics-en"}}
		eventually(t, "the academy says that she is inactive", func() bool {
			_, err := s.Admit(t.Context(), iris)
			return academy.ErrInactive.Is(err)
		})
		time.Sleep(250 * time.Millisecond)
		b.slow.Store(int64(time.Second))
		if _, err := s.Admit(t.Context(), iris); !academy.ErrInactive.Is(err) {
			t.Errorf("%s: she was let in: %v", name, err)
		}
	}
}
