package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

// academy answers what is asked about tokens.
type academy struct {
	asked  atomic.Int64
	answer func(ctx context.Context, token string) (string, error)
}

// Introspect implements auth.Introspector.
func (a *academy) Introspect(ctx context.Context, token string) ([]byte, error) {
	a.asked.Add(1)
	said, err := a.answer(ctx, token)
	return []byte(said), err
}

func saying(expires time.Duration, more string) func(context.Context, string) (string, error) {
	return func(_ context.Context, token string) (string, error) {
		return fmt.Sprintf(`{"user_id":%q,"roles":["student"],"course_ids":["c1"],"exp":%d%s}`, token, time.Now().Add(expires).Unix(), more), nil
	}
}

func TestTheAcademysWordOnATokenHoldsForAMoment(t *testing.T) {
	a := &academy{answer: saying(time.Hour, "")}
	v := auth.NewAsked(a, auth.Checks{}, 300*time.Millisecond)
	for range 3 {
		actor, err := v.Verify(t.Context(), "ana")
		if err != nil || actor.UserID != "ana" || !actor.Joined("c1") {
			t.Fatalf("got %+v, %v", actor, err)
		}
	}
	if n := a.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	a.answer = func(context.Context, string) (string, error) { return "", auth.ErrRefused.New() }
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := v.Verify(t.Context(), "ana"); auth.ErrRefused.Is(err) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a token that was withdrawn holds for ever")
		}
	}
}

func TestAnAnswerNeverOutlivesTheToken(t *testing.T) {
	a := &academy{answer: saying(time.Second, "")}
	v := auth.NewAsked(a, auth.Checks{}, time.Minute)
	if _, err := v.Verify(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	_, _ = v.Verify(t.Context(), "ana")
	if n := a.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestAnAcademyThatCanNotBeAskedLetsNobodyInAnew(t *testing.T) {
	a := &academy{answer: saying(time.Hour, "")}
	v := auth.NewAsked(a, auth.Checks{}, time.Minute)
	if _, err := v.Verify(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	a.answer = func(context.Context, string) (string, error) { return "", errs.Busy.New("The academy") }
	if _, err := v.Verify(t.Context(), "ana"); err != nil {
		t.Errorf("it has just vouched for her: %v", err)
	}
	for range 2 {
		if actor, err := v.Verify(t.Context(), "eve"); errs.CodeOf(err) != errs.Unavailable || actor.UserID != "" {
			t.Errorf("got %+v, %v", actor, err)
		}
	}
	if n := a.asked.Load(); n != 3 {
		t.Errorf("asked %d times: a failure is no answer to remember", n)
	}
	a.answer = func(context.Context, string) (string, error) { return "", errors.New("boom") }
	if actor, err := v.Verify(t.Context(), "mallory"); err == nil {
		t.Errorf("an error let in %+v", actor)
	}
}

func TestWhatTheAcademySaysIsCheckedAsATokenIs(t *testing.T) {
	for name, c := range map[string]struct {
		said string
		kind *errs.Kind
	}{
		"not JSON":         {`<html>`, auth.ErrMalformed},
		"no end":           {`{"user_id":"u"}`, auth.ErrClaim},
		"expired":          {fmt.Sprintf(`{"user_id":"u","exp":%d,"iss":"academy","aud":"tracker"}`, time.Now().Add(-time.Hour).Unix()), auth.ErrExpired},
		"nobody":           {fmt.Sprintf(`{"exp":%d}`, time.Now().Add(time.Hour).Unix()), auth.ErrClaim},
		"another audience": {fmt.Sprintf(`{"user_id":"u","exp":%d,"iss":"academy","aud":"shop"}`, time.Now().Add(time.Hour).Unix()), auth.ErrClaim},
		"another issuer":   {fmt.Sprintf(`{"user_id":"u","exp":%d,"iss":"x","aud":"tracker"}`, time.Now().Add(time.Hour).Unix()), auth.ErrClaim},
	} {
		a := &academy{answer: func(context.Context, string) (string, error) { return c.said, nil }}
		v := auth.NewAsked(a, auth.Checks{Issuer: "academy", Audience: []string{"tracker"}}, time.Minute)
		if actor, err := v.Verify(t.Context(), "t"); !c.kind.Is(err) || actor.UserID != "" {
			t.Errorf("%s: got %+v, %v", name, actor, err)
		}
	}
	a := &academy{answer: saying(time.Hour, "")}
	v := auth.NewAsked(a, auth.Checks{}, time.Minute)
	for _, token := range []string{"", strings.Repeat("x", auth.MaxToken+1), "a\nb", "a b", "ñ"} {
		if _, err := v.Verify(t.Context(), token); !auth.ErrMalformed.Is(err) {
			t.Errorf("%.20q: got %v", token, err)
		}
	}
	if a.asked.Load() != 0 {
		t.Error("the academy was asked about what is no token")
	}
}

func TestEqualTokensAreAskedAboutOnceAndManyOnlyAFewAtATime(t *testing.T) {
	var now, most atomic.Int64
	a := &academy{}
	a.answer = func(ctx context.Context, token string) (string, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			continue
		}
		time.Sleep(10 * time.Millisecond)
		return saying(time.Hour, "")(ctx, token)
	}
	v := auth.NewAsked(a, auth.Checks{}, time.Minute)
	var wg sync.WaitGroup
	for n := range 300 {
		wg.Go(func() {
			if _, err := v.Verify(context.Background(), fmt.Sprint("t", n%100)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a.asked.Load() != 100 || most.Load() > 32 {
		t.Errorf("asked %d times, %d at once", a.asked.Load(), most.Load())
	}
}

func TestARevokedPersonIsRefusedAtOnceOnEveryWay(t *testing.T) {
	a := &academy{answer: saying(time.Hour, "")}
	revocations := auth.NewRevocations()
	var gone atomic.Bool
	revocations.Check(func(id string) bool { return gone.Load() && id == "ana" })
	v := auth.Refusing(auth.NewAsked(a, auth.Checks{}, time.Minute), revocations)
	actor, err := v.Verify(t.Context(), "ana")
	if err != nil {
		t.Fatal(err)
	}
	gone.Store(true)
	if _, err := v.Verify(t.Context(), "ana"); !auth.ErrRevoked.Is(err) {
		t.Errorf("a remembered token: got %v", err)
	}
	if _, err := v.Verify(t.Context(), "ben"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	var refused error
	handler := auth.Middleware(v, func(*http.Request) auth.Access { return auth.SignedIn }, func(_ http.ResponseWriter, _ *http.Request, err error) { refused = err })
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	handler(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r.WithContext(auth.WithActor(r.Context(), actor)))
	if !auth.ErrRevoked.Is(refused) {
		t.Errorf("a call from an open socket: got %v", refused)
	}
	gone.Store(false)
	before := a.asked.Load()
	revocations.Tell("ana")
	if _, err := v.Verify(t.Context(), "ana"); err != nil || a.asked.Load() != before+1 {
		t.Errorf("after news of her the academy is asked again: %v, asked %d times", err, a.asked.Load()-before)
	}
}

// inactive is a verifier that admits nobody any more.
type inactive struct{ auth.Verifier }

// Recheck implements auth.Rechecker.
func (inactive) Recheck(context.Context, auth.Actor) error { return errs.Forbidden.New("inactive") }

func TestAnOpenSocketIsLookedAtAgainAsATokenIs(t *testing.T) {
	v := auth.Refusing(inactive{verifier(t)}, auth.NewRevocations())
	var refused error
	handler := auth.Middleware(v, func(*http.Request) auth.Access { return auth.SignedIn }, func(_ http.ResponseWriter, _ *http.Request, err error) { refused = err })
	r := httptest.NewRequest(http.MethodGet, "/x", nil)
	handler(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r.WithContext(auth.WithActor(r.Context(), auth.Actor{UserID: "ana"})))
	if !errs.Forbidden.Is(refused) {
		t.Errorf("got %v", refused)
	}
}

func TestOneSourceOfTokensHolds(t *testing.T) {
	a := &academy{answer: saying(time.Hour, "")}
	secretly := sign(t, jwtHS256, []byte(secret), claims(nil))
	for _, c := range []struct {
		name   string
		change func(*auth.Config)
		wrong  string
		takes  bool
	}{
		{"secret", func(c *auth.Config) { c.SecretKey = secret }, "", true},
		{"secret, a key by its id", func(c *auth.Config) {
			c.SecretKey, c.SecretKeys = "another", map[string]config.Secret{"k2": secret}
		}, "", false},
		{"jwks", func(c *auth.Config) { c.Source, c.JWKSURL, c.SecretKey = auth.FromJWKS, "http://127.0.0.1:1/", secret }, "", false},
		{"academy", func(c *auth.Config) { c.Source, c.SecretKey = auth.FromAcademy, secret }, "", true},
		{"no secret", func(*auth.Config) {}, "SECRET_KEY is not set", false},
		{"no key with a name", func(c *auth.Config) { c.SecretKey, c.SecretKeys = secret, map[string]config.Secret{"k2": ""} }, "k2", false},
		{"HS256 among the published", func(c *auth.Config) { c.Source, c.Algorithms = auth.FromJWKS, []string{"RS256", "HS256"} }, "HS256", false},
		{"none among the published", func(c *auth.Config) { c.Source, c.Algorithms = auth.FromJWKS, []string{"none"} }, "none", false},
		{"no algorithm", func(c *auth.Config) { c.Source, c.Algorithms = auth.FromJWKS, nil }, "algorithms", false},
		{"no address of keys", func(c *auth.Config) { c.Source, c.Issuer = auth.FromJWKS, "pixel-verse-academy" }, "jwks_url", false},
		{"a file for keys", func(c *auth.Config) { c.Source, c.JWKSURL = auth.FromJWKS, "file:///etc/passwd" }, "jwks_url", false},
		{"too long a word", func(c *auth.Config) { c.Source, c.AskAgain = auth.FromAcademy, time.Hour }, "ask_again", false},
		{"another source", func(c *auth.Config) { c.Source = "both" }, "both", false},
	} {
		cfg := auth.DefaultConfig()
		c.change(&cfg)
		v, err := auth.New(cfg, auth.Sources{Academy: a, Logger: slog.New(slog.DiscardHandler)})
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s: got %v", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		token := secretly
		if cfg.Source == auth.FromAcademy {
			token = "ana"
		}
		if _, err := v.Verify(t.Context(), token); (err == nil) != c.takes {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if _, err := auth.New(auth.Config{Source: auth.FromAcademy, AskAgain: time.Second}, auth.Sources{}); err == nil {
		t.Error("an academy that is not there is to be asked")
	}
}

func TestASecretWithAnIDIsForTokensThatNameIt(t *testing.T) {
	v := verifier(t)
	if err := v.Name("k2", "the second secret"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key string
		kid any
		ok  bool
	}{
		"its own":                  {"the second secret", "k2", true},
		"named, but another's":     {secret, "k2", false},
		"not named":                {"the second secret", nil, false},
		"the first, unnamed":       {secret, nil, true},
		"the first, other name":    {secret, "k1", true},
		"the second, other name":   {"the second secret", "k1", false},
		"an id that is no text":    {"the second secret", []string{"k2"}, false},
		"a path as id":             {"", "../../dev/null", false},
		"the empty secret, by nil": {"", nil, false},
	} {
		header := map[string]any{}
		if c.kid != nil {
			header["kid"] = c.kid
		}
		if _, err := v.Verify(t.Context(), signWith(t, jwtHS256, []byte(c.key), header, claims(nil))); (err == nil) != c.ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
