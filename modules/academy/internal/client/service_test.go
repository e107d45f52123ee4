package client_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/client"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/config"
)

const key = "a-service-key-of-this-test"

// bundle is a real stand-in behind a switch.
type bundle struct {
	*standin.Server
	service     *client.Service
	revocations *auth.Revocations
	cache       *cache.Cache
	cfg         academy.Config
	asked       atomic.Int64
	down        atomic.Bool
	slow        atomic.Int64
}

// remembering is a cache in this process, or in the Redis at an address.
func remembering(t *testing.T, address string) *cache.Cache {
	t.Helper()
	c, err := cache.New(cache.Config{URL: config.Secret(address)}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func setup(t *testing.T, change func(*academy.Config)) *bundle {
	t.Helper()
	b := &bundle{revocations: auth.NewRevocations(), cache: remembering(t, "")}
	academyServer, err := standin.New(standin.Config{SecretKey: strings.Repeat("k", 40), ServiceAPIKey: key})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.asked.Add(1)
		time.Sleep(time.Duration(b.slow.Load()))
		if b.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		academyServer.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	cfg := academy.DefaultConfig()
	cfg.URL, cfg.Key, cfg.AllowStandIn = server.URL, key, true
	if change != nil {
		change(&cfg)
	}
	b.Server = academyServer
	b.cfg = cfg
	b.service, err = client.NewService(cfg, client.Deps{Cache: b.cache, Logger: slog.New(slog.DiscardHandler), Revocations: b.revocations})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.service.Close)
	return b
}

func TestLookupsGiveWhatTheAcademyHas(t *testing.T) {
	b := setup(t, nil)
	course, err := b.service.Course(t.Context(), "python-basics-en")
	if err != nil || course.Title == "" {
		t.Fatalf("got %+v, %v", course, err)
	}
	for _, id := range []string{"no-such-course", "../users/x", "a/b?c"} {
		if _, err := b.service.Course(t.Context(), id); !academy.ErrCourseNotFound.Is(err) {
			t.Errorf("course %q: got %v", id, err)
		}
	}
	if _, err := b.service.User(t.Context(), "nobody"); !academy.ErrUserNotFound.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerIsAskedForOnce(t *testing.T) {
	b := setup(t, nil)
	b.slow.Store(int64(50 * time.Millisecond))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := b.service.Course(context.Background(), "python-basics-en"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := b.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestAnOldAnswerIsBetterThanNone(t *testing.T) {
	b := setup(t, func(cfg *academy.Config) { cfg.CacheLife = time.Nanosecond })
	if _, err := b.service.Course(t.Context(), "python-basics-en"); err != nil {
		t.Fatal(err)
	}
	b.down.Store(true)
	if course, err := b.service.Course(t.Context(), "python-basics-en"); err != nil || course.Title == "" {
		t.Errorf("got %+v, %v", course, err)
	}
	if _, err := b.service.Course(t.Context(), "python-basics-es"); !academy.ErrUnreachable.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestADeadAcademyIsLeftInPeaceAndComesBack(t *testing.T) {
	b := setup(t, func(cfg *academy.Config) { cfg.CacheLife, cfg.Pause = time.Nanosecond, 2*time.Second })
	b.down.Store(true)
	for range 20 {
		_, _ = b.service.User(t.Context(), "x")
	}
	if n := b.asked.Load(); n > 5 {
		t.Errorf("a dead academy was asked %d times", n)
	}
	b.down.Store(false)
	deadline := time.Now().Add(30 * time.Second)
	for {
		if _, err := b.service.Course(t.Context(), "python-basics-en"); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the breaker never closed again")
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestASlowAcademyIsGivenUpOn(t *testing.T) {
	b := setup(t, func(cfg *academy.Config) { cfg.Timeout = 50 * time.Millisecond })
	b.slow.Store(int64(time.Second))
	if _, err := b.service.Course(t.Context(), "python-basics-en"); !academy.ErrUnreachable.Is(err) {
		t.Errorf("got %v", err)
	}
}

func TestAnInactivePersonIsRefused(t *testing.T) {
	b := setup(t, nil)
	var inactive, active string
	for _, u := range standin.SampleUsers() {
		if u.Inactive {
			inactive = u.ID
		} else {
			active = u.ID
		}
	}
	if _, err := b.service.Admit(t.Context(), auth.Actor{UserID: inactive}); !academy.ErrInactive.Is(err) {
		t.Errorf("got %v", err)
	}
	if _, err := b.service.Admit(t.Context(), auth.Actor{UserID: active}); err != nil {
		t.Errorf("got %v", err)
	}
	b.down.Store(true)
	if _, err := b.service.Admit(t.Context(), auth.Actor{UserID: "somebody-else"}); err != nil {
		t.Errorf("a dead academy locks people out: %v", err)
	}
}

func TestTheStandInIsRefusedOutsideOfDevelopment(t *testing.T) {
	b := setup(t, func(cfg *academy.Config) { cfg.AllowStandIn = false })
	if err := b.service.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "stand-in") {
		t.Errorf("got %v", err)
	}
	if _, err := b.service.Course(t.Context(), "python-basics-en"); !academy.ErrUnreachable.Is(err) {
		t.Errorf("the stand-in's answer was taken: %v", err)
	}
	b.down.Store(true)
	if err := b.service.Check(t.Context()); err != nil {
		t.Errorf("a dead academy keeps the server from starting: %v", err)
	}
}
