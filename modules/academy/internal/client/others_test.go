package client_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/client"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

// another is an academy that keeps to the contract, but says things its own way:
// its refusals name no code, as those of most frameworks.
type another struct {
	key     string
	refuses int // status for a wrong service key
	asked   atomic.Int64
	user    string
}

// ServeHTTP implements http.Handler.
func (a *another) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked.Add(1)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Header.Get("Authorization") != "Bearer "+a.key:
		w.WriteHeader(a.refuses)
		_, _ = io.WriteString(w, `{"detail":"Not authenticated"}`)
	case r.URL.Path == "/api/auth/validate":
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.Contains(string(body), "good"):
			_, _ = io.WriteString(w, `{"user_id":"ben","exp":4102444800}`)
		case strings.Contains(string(body), "inactive"):
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"detail":"Inactive user"}`)
		default:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"detail":"Invalid token"}`)
		}
	case strings.HasPrefix(r.URL.Path, "/api/users/") && a.user != "":
		_, _ = io.WriteString(w, a.user)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"detail":"Not Found"}`)
	}
}

func (a *another) service(t *testing.T) *client.Service {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	cfg := academy.DefaultConfig()
	cfg.URL, cfg.Key = server.URL, key
	s, err := client.NewService(cfg, client.Deps{Cache: remembering(t, ""), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestTokensThatHoldNotLockNobodyElseOutHoweverTheAcademySaysSo(t *testing.T) {
	a := &another{key: key}
	s := a.service(t)
	for i := range 20 {
		if _, err := s.Introspect(t.Context(), fmt.Sprint("bad ", i)); !auth.ErrRefused.Is(err) {
			t.Fatalf("token %d: got %v", i, err)
		}
	}
	if _, err := s.Introspect(t.Context(), "inactive"); !academy.ErrInactive.Is(err) {
		t.Errorf("somebody inactive: got %v", err)
	}
	if _, err := s.Introspect(t.Context(), "good"); err != nil {
		t.Errorf("a token that holds: got %v", err)
	}
	if n := a.asked.Load(); n > 30 {
		t.Errorf("the academy was asked %d times about 22 tokens", n)
	}
}

func TestAServiceKeyThatIsRefusedIsNobodysTokenHoweverTheAcademySaysSo(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		a := &another{key: "another", refuses: status}
		s := a.service(t)
		for i := range 50 {
			if _, err := s.Introspect(t.Context(), fmt.Sprint("good ", i)); errs.CodeOf(err) != errs.Unavailable || !strings.Contains(err.Error(), "SERVICE_API_KEY") {
				t.Fatalf("%d, token %d: got %v", status, i, err)
			}
		}
		if n := a.asked.Load(); n > 10 {
			t.Errorf("%d: an academy that refuses this server was asked %d times", status, n)
		}
	}
}

func TestAnAcademyThatCountsItsPeopleIsUnderstood(t *testing.T) {
	a := &another{key: key, user: `{"id":42,"email":"ana@academy.test","full_name":"Ana","is_active":true}`}
	if user, err := a.service(t).User(t.Context(), "42"); err != nil || user.ID != "42" || user.FullName != "Ana" {
		t.Errorf("got %+v, %v", user, err)
	}
}

func TestNobodyIsInactiveBecauseTheAcademyDoesNotSay(t *testing.T) {
	a := &another{key: key, user: `{"id":"ana","email":"ana@academy.test","full_name":"Ana"}`}
	s := a.service(t)
	if _, err := s.Admit(t.Context(), auth.Actor{UserID: "ana"}); err != nil {
		t.Errorf("she is refused: %v", err)
	}
	if _, err := s.User(t.Context(), "ana"); !academy.ErrUnreachable.Is(err) || !strings.Contains(err.Error(), "is_active") {
		t.Errorf("nobody says what is missing: %v", err)
	}
}

func TestADeadAcademyDoesNotFillTheLog(t *testing.T) {
	var log bytes.Buffer
	b := setup(t, func(cfg *academy.Config) { cfg.Pause = time.Hour })
	b.down.Store(true)
	s, err := client.NewService(b.cfg, client.Deps{Cache: b.cache, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for i := range 50 {
		_, _ = s.Introspect(t.Context(), fmt.Sprint("token ", i))
		_, _ = s.Course(t.Context(), fmt.Sprint("course ", i))
	}
	if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "nobody can sign in") || !strings.Contains(log.String(), "what=course") {
		t.Errorf("the log has %d lines of one outage:\n%s", n, log.String())
	}
}
