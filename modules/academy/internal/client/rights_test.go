package client_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/client"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

func TestCoursePolicies(t *testing.T) {
	learner := auth.Actor{UserID: "nobody-known", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}}
	ben := auth.Actor{UserID: "learner-ben", Roles: []auth.Role{auth.Student}}
	admin := auth.Actor{UserID: "admin-ada", Roles: []auth.Role{auth.Admin}}
	for _, c := range []struct {
		name   string
		policy academy.Policy
		actor  auth.Actor
		course string
		down   bool
		want   *errs.Kind
	}{
		{"open takes any", academy.Open, learner, "anything", false, nil},
		{"claims takes the token's", academy.Claims, learner, "c1", false, nil},
		{"claims takes the academy's", academy.Claims, ben, "python-basics-en", false, nil},
		{"claims under its other name", "claim", learner, "c1", false, nil},
		{"claims refuses a stranger", academy.Claims, learner, "python-basics-en", false, academy.ErrUserNotFound},
		{"claims refuses another course", academy.Claims, ben, "python-basics-es", false, academy.ErrNotYourCourse},
		{"claims refuses what there is not", academy.Claims, ben, "c9", false, academy.ErrCourseNotFound},
		{"claims while the academy is down", academy.Claims, learner, "c1", true, nil},
		{"academy asks whatever the token says", academy.Ask, learner, "c1", false, academy.ErrCourseNotFound},
		{"academy takes members", academy.Ask, ben, "python-basics-en", false, nil},
		{"academy takes the token while it is down", academy.Ask, learner, "c1", true, nil},
		{"academy refuses others while it is down", academy.Ask, ben, "python-basics-en", true, academy.ErrUnreachable},
		{"academy lets admins name what exists", academy.Ask, admin, "python-basics-en", false, nil},
		{"academy lets nobody name what doesn't", academy.Ask, admin, "c9", false, academy.ErrCourseNotFound},
		{"the system needs no leave", academy.Ask, auth.System("agents"), "c9", false, nil},
	} {
		b := setup(t, func(cfg *academy.Config) { cfg.CoursePolicy = c.policy })
		b.down.Store(c.down)
		err := b.service.MayUse(t.Context(), c.actor, c.course)
		if c.want == nil && err != nil || c.want != nil && !c.want.Is(err) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if _, err := client.NewService(academy.Config{CoursePolicy: "none"}, client.Deps{}); err == nil {
		t.Error("an unknown policy was taken")
	}
}

func TestNobodyNamesACourseThatTheAcademyHasDeleted(t *testing.T) {
	for _, policy := range []academy.Policy{academy.Open, academy.Claims, academy.Ask} {
		cfg := academy.DefaultConfig()
		cfg.CoursePolicy = policy
		s, err := client.NewService(cfg, client.Deps{Cache: remembering(t, ""), Deleted: func(_ context.Context, _ postgres.Queryer, id string) (bool, error) { return id == "c1", nil }})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.MayUse(t.Context(), auth.Actor{UserID: "u", CourseIDs: []string{"c1"}}, "c1"); !academy.ErrCourseNotFound.Is(err) {
			t.Errorf("%s: got %v", policy, err)
		}
	}
}

func TestTheAcademyAddsTheCoursesThatATokenLeavesOut(t *testing.T) {
	const en, es = "python-basics-en", "python-basics-es"
	b := setup(t, nil)
	if err := b.PutUser(standin.User{ID: "both", Email: "both@academy.test", Roles: []string{"teacher"}, Courses: []standin.Membership{
		{CourseID: en, Role: "teacher"}, {CourseID: es, Role: "student"},
	}}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		actor         auth.Actor
		teaches, join []string
		not           []string
	}{
		"a teacher teaches what they teach":        {auth.Actor{UserID: "both", Roles: []auth.Role{auth.Teacher}}, []string{en}, []string{en}, []string{es}},
		"a teacher keeps what the token says":      {auth.Actor{UserID: "both", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}}, []string{"c1", en}, nil, []string{es}},
		"a learner joins what they are in":         {auth.Actor{UserID: "learner-ben", Roles: []auth.Role{auth.Student}}, nil, []string{en}, []string{es}},
		"a learner with courses keeps these alone": {auth.Actor{UserID: "learner-ben", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}}, nil, []string{"c1"}, []string{en, es}},
		"a teacher by membership is none by role":  {auth.Actor{UserID: "both", Roles: []auth.Role{auth.Student}}, nil, []string{en}, nil},
		"a stranger is who the token says":         {auth.Actor{UserID: "nobody", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}}, []string{"c1"}, nil, []string{en}},
	} {
		before := slices.Clone(c.actor.CourseIDs)
		actor, err := b.service.Admit(t.Context(), c.actor)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, id := range c.teaches {
			if !actor.Teaches(id) {
				t.Errorf("%s: does not teach %s: %+v", name, id, actor)
			}
		}
		for _, id := range c.join {
			if !actor.Joined(id) {
				t.Errorf("%s: is not in %s: %+v", name, id, actor)
			}
		}
		for _, id := range c.not {
			if actor.Teaches(id) || !actor.Has(auth.Student) && actor.Joined(id) {
				t.Errorf("%s: got rights in %s: %+v", name, id, actor)
			}
		}
		if !slices.Equal(before, c.actor.CourseIDs) {
			t.Errorf("%s: another's list was written to", name)
		}
	}
}

func TestTheAcademyIsAskedWhatATokenSays(t *testing.T) {
	b := setup(t, nil)
	v := auth.NewAsked(b.service, auth.Checks{Issuer: "pixel-verse-academy"}, auth.DefaultConfig().AskAgain)
	for user, want := range map[string]*errs.Kind{"learner-ben": nil, "teacher-tess": nil, "learner-iris": academy.ErrInactive} {
		token, err := b.Token(user)
		if err != nil {
			t.Fatal(err)
		}
		actor, err := v.Verify(t.Context(), token)
		if want == nil && (err != nil || actor.UserID != user) || want != nil && !want.Is(err) {
			t.Errorf("%s: got %+v, %v", user, actor, err)
		}
	}
	if _, err := v.Verify(t.Context(), "made-up"); !auth.ErrRefused.Is(err) {
		t.Errorf("got %v", err)
	}
	token, err := b.Token("learner-noah")
	if err != nil {
		t.Fatal(err)
	}
	b.down.Store(true)
	if actor, err := v.Verify(t.Context(), token); errs.CodeOf(err) != errs.Unavailable || actor.UserID != "" {
		t.Errorf("a dead academy lets in %+v, %v", actor, err)
	}
	before := b.asked.Load()
	for range 50 {
		_, _ = v.Verify(t.Context(), token)
	}
	if n := b.asked.Load() - before; n > 5 {
		t.Errorf("a dead academy was asked %d times more", n)
	}
}

func TestAWrongServiceKeyIsTheServersFaultAndNotThePersons(t *testing.T) {
	b := setup(t, func(cfg *academy.Config) { cfg.Key = "not-the-academys" })
	token, err := b.Token("learner-ben")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.service.Introspect(t.Context(), token); errs.CodeOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "SERVICE_API_KEY") {
		t.Errorf("got %v", err)
	}
	if _, err := b.service.Course(t.Context(), "python-basics-en"); !academy.ErrUnreachable.Is(err) || !strings.Contains(err.Error(), "SERVICE_API_KEY") {
		t.Errorf("got %v", err)
	}
}

func TestAnAcademyMayAlsoSayInAGoodAnswerThatATokenHoldsNot(t *testing.T) {
	said := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(said)) }))
	t.Cleanup(server.Close)
	cfg := academy.DefaultConfig()
	cfg.URL = server.URL
	s, err := client.NewService(cfg, client.Deps{Cache: remembering(t, ""), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for answer, want := range map[string]*errs.Kind{
		`{"active":false}`: auth.ErrRefused, `{"valid":false}`: auth.ErrRefused, `{"is_active":false,"user_id":"u"}`: academy.ErrInactive,
	} {
		said = answer
		if _, err := s.Introspect(t.Context(), "t"); !want.Is(err) {
			t.Errorf("%s: got %v", answer, err)
		}
	}
	said = `<html>`
	if _, err := s.Introspect(t.Context(), "t"); errs.CodeOf(err) != errs.Unavailable {
		t.Errorf("a page: got %v", err)
	}
}
