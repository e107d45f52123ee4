package auth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/config"
)

func TestAnAnswerWithoutKeysIsNoKeySetAndTakesNone(t *testing.T) {
	keys := pair()
	for _, answer := range []string{`{}`, `null`, `{"status":"maintenance"}`, `{"keys":null}`} {
		i := newIssuer(t, rsaJWK("r", &keys[0].PublicKey))
		v := i.verifier(t, auth.Checks{})
		token := signWith(t, jwt.SigningMethodRS256, keys[0], kid("r"), claims(nil))
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		i.set(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })
		if actor, err := v.Verify(t.Context(), signWith(t, jwt.SigningMethodRS256, keys[1], kid("unknown"), claims(nil))); err == nil {
			t.Errorf("%s: let in %+v", answer, actor)
		}
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("%s took the known keys away: %v", answer, err)
		}
	}
}

func TestAKeyIsForItsAlgorithmAloneAlsoWithoutAKeyID(t *testing.T) {
	keys := pair()
	keyFor := func(alg string, more map[string]any) map[string]any {
		key := rsaJWK("r", &keys[0].PublicKey)
		key["alg"] = alg
		for name, value := range more {
			key[name] = value
		}
		return key
	}
	for name, c := range map[string]struct {
		key    map[string]any
		method jwt.SigningMethod
		takes  bool
	}{
		"its own":                         {keyFor("RS256", nil), jwt.SigningMethodRS256, true},
		"another":                         {keyFor("RS256", nil), jwt.SigningMethodPS256, false},
		"a key that names none":           {keyFor("", nil), jwt.SigningMethodPS256, true},
		"a key of another kind":           {keyFor("RS256", nil), jwt.SigningMethodRS512, false},
		"a key to verify":                 {keyFor("RS256", map[string]any{"use": "", "key_ops": []string{"verify"}}), jwt.SigningMethodRS256, true},
		"a key that is not for verifying": {keyFor("RS256", map[string]any{"use": "", "key_ops": []string{"encrypt", "wrapKey"}}), jwt.SigningMethodRS256, false},
	} {
		i := newIssuer(t, c.key)
		v, err := auth.NewJWKS(auth.KeysFrom{URL: i.URL}, []string{"RS256", "PS256", "RS512"}, auth.Checks{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range []map[string]any{nil, kid("r")} {
			if _, err := v.Verify(t.Context(), signWith(t, c.method, keys[0], header, claims(nil))); (err == nil) != c.takes {
				t.Errorf("%s, header %v: got %v", name, header, err)
			}
		}
		v.Close()
	}
}

func TestMadeUpTokensDriveNobodysAnswerOut(t *testing.T) {
	a := &academy{answer: func(ctx context.Context, token string) (string, error) {
		if strings.HasPrefix(token, "bad") {
			return "", auth.ErrRefused.New()
		}
		return saying(time.Hour, "")(ctx, token)
	}}
	v := auth.NewAsked(a, auth.Checks{}, time.Minute)
	if _, err := v.Verify(t.Context(), "ana"); err != nil {
		t.Fatal(err)
	}
	for i := range 25_000 {
		if _, err := v.Verify(t.Context(), fmt.Sprint("bad", i)); err == nil {
			t.Fatal("a made-up token was taken")
		}
	}
	before := a.asked.Load()
	if _, err := v.Verify(t.Context(), "ana"); err != nil || a.asked.Load() != before {
		t.Errorf("the academy is asked about her again (%v)", err)
	}
}

func TestWhatIsForgottenWhileItIsAskedForIsNotKept(t *testing.T) {
	var asked atomic.Int64
	release := make(chan struct{})
	a := &academy{}
	a.answer = func(ctx context.Context, token string) (string, error) {
		if asked.Add(1) == 1 {
			<-release
			return saying(time.Hour, "")(ctx, token)
		}
		return "", auth.ErrRefused.New()
	}
	v := auth.NewAsked(a, auth.Checks{}, time.Minute)
	done := make(chan struct{})
	go func() { defer close(done); _, _ = v.Verify(context.Background(), "ana") }()
	for deadline := time.Now().Add(time.Minute); asked.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the academy is not asked")
		}
	}
	v.Forget("ana")
	close(release)
	<-done
	if actor, err := v.Verify(t.Context(), "ana"); !auth.ErrRefused.Is(err) {
		t.Errorf("an answer from before the news is kept: %+v, %v", actor, err)
	}
}

func TestASecretThatCanBeGuessedIsNamed(t *testing.T) {
	long := config.Secret(strings.Repeat("k", 32))
	for name, c := range map[string]struct {
		cfg  auth.Config
		weak string
	}{
		"long enough":           {auth.Config{Source: auth.FromSecret, SecretKey: long}, ""},
		"short":                 {auth.Config{Source: auth.FromSecret, SecretKey: "hunter2"}, "SECRET_KEY"},
		"a short one before":    {auth.Config{Source: auth.FromSecret, SecretKey: long, PreviousSecretKey: "hunter2"}, "auth.previous_secret_key"},
		"a short one by its id": {auth.Config{Source: auth.FromSecret, SecretKey: long, SecretKeys: map[string]config.Secret{"k2": "hunter2"}}, "auth.secret_keys.k2"},
		"none is needed":        {auth.Config{Source: auth.FromJWKS}, ""},
	} {
		err := c.cfg.CheckStrength()
		if (err != nil) != (c.weak != "") || err != nil && (!strings.Contains(err.Error(), c.weak) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
