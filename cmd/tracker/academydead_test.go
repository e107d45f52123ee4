package main

import (
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/auth"
)

// neverAnswer takes connections at an address and says nothing.
func neverAnswer(t *testing.T, url string) {
	t.Helper()
	listener, err := net.Listen("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	var held []net.Conn
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			held = append(held, conn)
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		accepting.Wait()
		for _, conn := range held {
			_ = conn.Close()
		}
	})
}

func TestADeadAcademyDegradesNamesAndTitlesButNeverGoalsAndVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		source auth.Source
		policy academy.Policy
		// elsewhere is what naming a course answers that the token doesn't name.
		elsewhere int
	}{
		"published keys, policy claims":   {auth.FromJWKS, academy.Claims, http.StatusServiceUnavailable},
		"a shared secret, policy open":    {auth.FromSecret, academy.Open, http.StatusCreated},
		"a shared secret, policy academy": {auth.FromSecret, academy.Ask, http.StatusServiceUnavailable},
	} {
		if c.source != auth.FromJWKS && os.Getenv("TRACKER_TEST_FULL") == "" {
			continue // the policies themselves are tested with the client
		}
		t.Run(name, func(t *testing.T) {
			there := startAcademy(t)
			cfg := testConfig(t)
			cfg.Academy.URL, cfg.Academy.CoursePolicy, cfg.Auth.Source = there.url, c.policy, c.source
			cfg.Academy.Timeout = time.Second
			w := startWorldOn(t, cfg)
			login := func(id, email, password, course string) caller {
				if c.source == auth.FromJWKS {
					return caller{t: t, url: w.url, token: there.login(email, password)}
				}
				return caller{t: t, url: w.url, token: signed(t, jwt.MapClaims{"user_id": id, "roles": []string{"student"}, "course_ids": []string{course}})}
			}
			ben := login("learner-ben", "ben@academy.test", "ben-learns", course)
			lucia := login("learner-lucia", "lucia@academy.test", "lucia-aprende", "python-basics-es")
			ben.must(http.MethodGet, "/api/v1/me", nil)
			works := func(who string, me caller, own string) {
				t.Helper()
				me.must(http.MethodGet, "/api/v1/me", nil)
				goal := me.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Loops", "course_id": own}).field("id").(string)
				me.must(http.MethodPost, "/api/v1/goals/"+goal+":start", map[string]any{})
				r := me.send(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Loops", "course_id": "some-other-course"})
				if r.status != c.elsewhere || r.status >= 500 && r.field("reason") != "academy_unreachable" {
					t.Errorf("%s names a course that her token doesn't: %d %s", who, r.status, r.body)
				}
				snapshot := submit(me, codeTask(me, "Double"), right)
				until(t, time.Minute, func() (any, bool) {
					verdict := me.must(http.MethodGet, "/api/v1/snapshots/"+snapshot, nil).field("verdict")
					return verdict, verdict == "passed"
				})
			}
			there.kill()
			works("ben, whom the academy told of before it died,", ben, course)
			if name := ben.must(http.MethodGet, "/api/v1/me", nil).field("full_name"); name != "Ben Carter" {
				t.Errorf("what was known of him is forgotten: %v", name)
			}
			neverAnswer(t, there.url)
			works("lucia, of whom nobody told,", lucia, "python-basics-es")
			if me := lucia.must(http.MethodGet, "/api/v1/me", nil); me.field("degraded") != true || me.field("id") != "learner-lucia" {
				t.Errorf("nobody says that the academy is away: %s", me.body)
			}
			if r := lucia.send(http.MethodGet, "/api/v1/courses/python-basics-es", nil); r.status != http.StatusServiceUnavailable || r.field("reason") != "academy_unreachable" {
				t.Errorf("a title that nobody knows: %d %s", r.status, r.body)
			}
		})
	}
}
