package client_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
	"github.com/goals-tracker/tracker/modules/academy"
)

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}

func (b *bundle) title(t *testing.T) string {
	t.Helper()
	course, err := b.service.Course(t.Context(), "python-basics-en")
	if err != nil {
		t.Fatal(err)
	}
	return course.Title
}

func (b *bundle) rename(t *testing.T, title string) {
	t.Helper()
	if err := b.PutCourse(standin.Course{ID: "python-basics-en", Title: title, Status: "published"}); err != nil {
		t.Fatal(err)
	}
}

func TestAnOlderAnswerIsGivenAtOnceWhileANewOneIsFetched(t *testing.T) {
	b := setup(t, func(cfg *academy.Config) { cfg.CacheLife = 200 * time.Millisecond })
	b.title(t)
	b.rename(t, "New")
	time.Sleep(250 * time.Millisecond)
	b.slow.Store(int64(200 * time.Millisecond))
	if got := b.title(t); got == "New" {
		t.Error("the reader waited for the academy")
	}
	eventually(t, "the new title", func() bool { return b.title(t) == "New" })
}

func TestWhatTheAcademySaysUnaskedHoldsAtOnce(t *testing.T) {
	b := setup(t, nil)
	b.title(t)
	asked := b.asked.Load()
	b.service.LearnCourse(t.Context(), "python-basics-en", &academy.Course{ID: "python-basics-en", Title: "Told"})
	if got := b.title(t); got != "Told" || b.asked.Load() != asked {
		t.Errorf("got %q, asked %d times", got, b.asked.Load()-asked)
	}
	b.rename(t, "Renamed")
	b.service.LearnCourse(t.Context(), "python-basics-en", nil)
	if got := b.title(t); got != "Renamed" {
		t.Errorf("what was known was not forgotten: %q", got)
	}
}

func TestAQuestionUnderWayDoesNotOverwriteWhatCameMeanwhile(t *testing.T) {
	b := setup(t, nil)
	b.slow.Store(int64(300 * time.Millisecond))
	done := make(chan struct{})
	go func() { defer close(done); _, _ = b.service.Course(context.Background(), "python-basics-en") }()
	eventually(t, "the question reaches the academy", func() bool { return b.asked.Load() == 1 })
	b.service.LearnCourse(t.Context(), "python-basics-en", &academy.Course{ID: "python-basics-en", Title: "Told meanwhile"})
	<-done
	if got := b.title(t); got != "Told meanwhile" {
		t.Errorf("got %q", got)
	}
}

func TestNothingIsAskedOrRememberedAboutWhoIsBeingErased(t *testing.T) {
	b := setup(t, nil)
	if _, err := b.service.User(t.Context(), "learner-ben"); err != nil {
		t.Fatal(err)
	}
	b.revocations.Check(func(id string) bool { return id == "learner-ben" })
	asked := b.asked.Load()
	if user, err := b.service.User(t.Context(), "learner-ben"); !academy.ErrUserNotFound.Is(err) || user.Email != "" {
		t.Errorf("got %+v, %v", user, err)
	}
	if courses, err := b.service.Courses(t.Context(), "learner-ben"); !academy.ErrUserNotFound.Is(err) || courses != nil {
		t.Errorf("got %v, %v", courses, err)
	}
	b.service.LearnUser(t.Context(), "learner-ben", &academy.User{ID: "learner-ben", Email: "x"})
	if _, err := b.service.User(t.Context(), "learner-ben"); !academy.ErrUserNotFound.Is(err) || b.asked.Load() != asked {
		t.Errorf("got %v, asked %d times", err, b.asked.Load()-asked)
	}
}

func TestAnAnswerAboutSomebodyElseIsNotTaken(t *testing.T) {
	b := setup(t, nil)
	for _, id := range []string{"learner-ben/../learner-lucia", "learner-ben%2F..", "LEARNER-BEN"} {
		if user, err := b.service.User(t.Context(), id); err == nil {
			t.Errorf("%q: got %+v", id, user)
		} else if strings.Contains(err.Error(), "ben@academy.test") {
			t.Errorf("%q: the error tells of another: %v", id, err)
		}
	}
}
