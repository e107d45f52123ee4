package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
	"github.com/goals-tracker/tracker/modules/core/auth"
)

// beside is an academy and a whole server that live together, with no RabbitMQ.
type beside struct {
	*world
	academy *standin.Server
	revoked *auth.Revocations
	// die ends the academy's HTTP.
	die        func()
	academyURL string
}

// late is a publisher whose address is known once the server runs.
type late struct {
	mu   sync.Mutex
	post standin.Post
}

// Publish implements standin.Publisher.
func (l *late) Publish(ctx context.Context, e standin.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.post.Publish(ctx, e)
}

func startBeside(t *testing.T, source auth.Source) *beside {
	t.Helper()
	events := &late{}
	academy, err := standin.New(standin.Config{
		SecretKey: testSecret, ServiceAPIKey: testServiceKey, Algorithm: standin.RS256, Audience: "tracker", Events: events,
	})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(academy)
	t.Cleanup(web.Close)
	cfg := testConfig(t)
	cfg.Academy.URL = web.URL
	cfg.Auth.Source, cfg.Auth.Issuer, cfg.Auth.Audience = source, "pixel-verse-academy", []string{"tracker"}
	b := &beside{academy: academy, academyURL: web.URL, die: func() { web.CloseClientConnections(); web.Close() }}
	b.world = startWorldOn(t, cfg, &b.revoked)
	events.post = standin.Post{URL: b.url + "/api/v1/academy/events", Key: testServiceKey}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { academy.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return b
}

func (b *beside) login(user string) caller {
	b.t.Helper()
	token, err := b.academy.Token(user)
	if err != nil {
		b.t.Fatal(err)
	}
	return caller{t: b.t, url: b.url, token: token}
}

// answers waits until the path answers with the status.
func (c caller) answers(status int, path string) {
	c.t.Helper()
	until(c.t, time.Minute, func() (string, bool) {
		r := c.send(http.MethodGet, path, nil)
		return string(r.body), r.status == status
	})
}

func TestTheServerLivesBesideAnAcademyThatPublishesItsKeys(t *testing.T) {
	b := startBeside(t, auth.FromJWKS)
	ben := b.login("learner-ben")
	if name := ben.must(http.MethodGet, "/api/v1/me", nil).field("full_name"); name != "Ben Carter" {
		t.Errorf("he is called %v", name)
	}
	if r := b.as("learner-ben", "admin").send(http.MethodGet, "/api/v1/me", nil); r.status != http.StatusUnauthorized {
		t.Errorf("a token signed with the shared secret: %d %s", r.status, r.body)
	}
	if err := b.academy.RotateKey(); err != nil {
		t.Fatal(err)
	}
	b.login("learner-ben").must(http.MethodGet, "/api/v1/me", nil)

	// The academy adds what a token leaves out: tess teaches, noah is in no course.
	tess := b.login("teacher-tess")
	tess.must(http.MethodPost, "/api/v1/courses/"+course+"/documents", map[string]any{"files": courseFiles(t, course)[:1]})
	goal := ben.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Loops", "course_id": course}).field("id").(string)
	if r := b.login("learner-noah").send(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Loops", "course_id": course}); r.status != http.StatusForbidden {
		t.Errorf("a stranger names the course: %d %s", r.status, r.body)
	}

	b.academy.RemoveCourse(course)
	until(t, time.Minute, func() (any, bool) {
		g := ben.must(http.MethodGet, "/api/v1/goals/"+goal, nil)
		return g.field("course_deleted"), g.field("course_deleted") == true
	})
	until(t, time.Minute, func() (string, bool) {
		documents := tess.send(http.MethodGet, "/api/v1/courses/"+course+"/documents", nil)
		return string(documents.body), len(list(documents, "documents")) == 0
	})
	if r := ben.send(http.MethodPost, "/api/v1/goals", map[string]any{"title": "More", "course_id": course}); r.status != http.StatusNotFound {
		t.Errorf("a deleted course is named: %d %s", r.status, r.body)
	}
	ben.must(http.MethodPatch, "/api/v1/goals/"+goal, map[string]any{"title": "Still mine", "course_id": course})

	if err := b.academy.PutUser(standin.User{ID: "learner-ben", Email: "ben@academy.test", FullName: "Ben Carter", Roles: []string{"student"}, Inactive: true}); err != nil {
		t.Fatal(err)
	}
	ben.answers(http.StatusForbidden, "/api/v1/goals")
}

func TestTheServerLivesBesideAnAcademyThatIsAskedAboutTokens(t *testing.T) {
	b := startBeside(t, auth.FromAcademy)
	ben, lucia := b.login("learner-ben"), b.login("learner-lucia")
	ben.must(http.MethodGet, "/api/v1/goals", nil)
	lucia.must(http.MethodGet, "/api/v1/goals", nil)
	for name, token := range map[string]string{
		"the shared secret": signed(t, jwt.MapClaims{"user_id": "learner-ben", "iss": "pixel-verse-academy", "aud": "tracker"}), "nothing": "a.b.c",
	} {
		if r := (caller{t: t, url: b.url, token: token}).send(http.MethodGet, "/api/v1/goals", nil); r.status != http.StatusUnauthorized {
			t.Errorf("a token of %s: %d %s", name, r.status, r.body)
		}
	}
	// What was remembered of a token ends with the person.
	b.academy.RemoveUser("learner-lucia")
	lucia.answers(http.StatusUnauthorized, "/api/v1/goals")
	ben.must(http.MethodGet, "/api/v1/goals", nil)
	b.revoked.Check(func(id string) bool { return id == "learner-ben" })
	if r := ben.send(http.MethodGet, "/api/v1/goals", nil); r.status != http.StatusUnauthorized || r.field("reason") != "token_revoked" {
		t.Errorf("somebody who is being erased: %d %s", r.status, r.body)
	}
	// While nobody can be asked, nobody new is let in.
	noah := b.login("learner-noah")
	b.die()
	for _, how := range []string{"dead", "silent"} {
		r := noah.send(http.MethodGet, "/api/v1/goals", nil)
		if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" {
			t.Errorf("a %s academy: %d %s", how, r.status, r.body)
		}
		if how == "dead" {
			neverAnswer(t, b.academyURL)
		}
	}
}
