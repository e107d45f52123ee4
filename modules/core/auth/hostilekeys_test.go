package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

func TestAnIssuerThatMisbehavesLetsNobodyInAndHoldsNobodyUp(t *testing.T) {
	keys := pair()
	token := signWith(t, jwt.SigningMethodRS256, keys[0], kid("r"), claims(nil))
	unknown := signWith(t, jwt.SigningMethodRS256, keys[0], kid("not published"), claims(nil))
	for name, answer := range map[string]func(i *issuer) http.HandlerFunc{
		"hangs": func(i *issuer) http.HandlerFunc {
			return func(_ http.ResponseWriter, r *http.Request) {
				select {
				case <-r.Context().Done():
				case <-i.end:
				}
			}
		},
		"answers 10 MB": func(*issuer) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"keys":[`))
				for range 10 {
					_, _ = w.Write([]byte(strings.Repeat(" ", 1<<20)))
				}
				_, _ = w.Write([]byte(`]}`))
			}
		},
		"fails": func(*issuer) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
		},
		"answers a page": func(*issuer) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }
		},
		"redirects": func(i *issuer) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, i.URL+"/elsewhere", http.StatusFound)
			}
		},
		"has 10,000 keys": func(*issuer) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"keys":[` + strings.Repeat(`{},`, 9999) + `{}]}`))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.set(answer(i))
			v := i.verifier(t, auth.Checks{})
			started := time.Now()
			if actor, err := v.Verify(t.Context(), token); errs.CodeOf(err) != errs.Unavailable || actor.UserID != "" {
				t.Errorf("without keys: got %+v, %v", actor, err)
			}
			i.publish(rsaJWK("r", &keys[0].PublicKey))
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Errorf("once it behaves: %v", err)
			}
			i.set(answer(i))
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Errorf("a known key needs nobody: %v", err)
			}
			if actor, err := v.Verify(t.Context(), unknown); err == nil {
				t.Errorf("an unknown key let in %+v", actor)
			}
			if took := time.Since(started); took > 20*time.Second {
				t.Errorf("it held everybody up for %s", took)
			}
		})
	}
}

func TestKeysAreDiscoveredFromTheIssuer(t *testing.T) {
	keys := pair()
	i := newIssuer(t, rsaJWK("r", &keys[0].PublicKey))
	token := signWith(t, jwt.SigningMethodRS256, keys[0], kid("r"), claims(jwt.MapClaims{"iss": i.URL}))
	cfg := auth.DefaultConfig()
	cfg.Source, cfg.Issuer = auth.FromJWKS, i.URL
	v, err := auth.New(cfg, auth.Sources{AcademyURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if actor, err := v.Verify(t.Context(), token); err != nil || actor.UserID == "" {
		t.Errorf("got %+v, %v", actor, err)
	}
	// A document that speaks for another issuer is not believed.
	other := i.from(t, auth.KeysFrom{Issuer: strings.Replace(i.URL, "127.0.0.1", "localhost", 1)}, auth.Checks{})
	if actor, err := other.Verify(t.Context(), token); errs.CodeOf(err) != errs.Unavailable {
		t.Errorf("got %+v, %v", actor, err)
	}
}

func TestKeysThatAreNoneOpenNothingAndEndNothing(t *testing.T) {
	keys := pair()
	n, long := b64(keys[0].N), strings.Repeat("A", 100_000)
	var odd []map[string]any
	for i, key := range []map[string]any{
		{"kty": "OKP", "crv": "Ed25519", "x": "AA"}, {"kty": "OKP", "crv": "Ed25519", "x": ""}, {"kty": "OKP", "crv": "X25519", "x": strings.Repeat("A", 43)},
		{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "EC", "crv": "P-256", "x": "", "y": ""}, {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
		{"kty": "RSA", "n": n, "e": ""}, {"kty": "RSA", "n": n, "e": "AA"}, {"kty": "RSA", "n": n, "e": "AQ"}, {"kty": "RSA", "n": n, "e": long},
		{"kty": "RSA", "n": "", "e": "AQAB"}, {"kty": "RSA", "n": "%%", "e": "AQAB"}, {"kty": "RSA", "n": n}, {"kty": "oct", "k": "AA"}, {}, {"kty": "RSA", "alg": "none", "n": n, "e": "AQAB"},
		{"kty": "RSA", "n": n, "e": "AQAB", "key_ops": []string{"encrypt"}, "use": "tls"},
	} {
		key["kid"] = fmt.Sprint("k", i)
		odd = append(odd, key)
	}
	odd = append(odd, rsaJWK("good", &keys[1].PublicKey))
	i := newIssuer(t, odd...)
	v := i.verifier(t, auth.Checks{})
	if _, err := v.Verify(t.Context(), signWith(t, jwt.SigningMethodRS256, keys[1], kid("good"), claims(nil))); err != nil {
		t.Errorf("the one good key: %v", err)
	}
	edwards := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for n := range odd[:len(odd)-1] {
		header := kid(fmt.Sprint("k", n))
		for name, token := range map[string]string{
			"EdDSA": signWith(t, jwt.SigningMethodEdDSA, edwards, header, claims(nil)),
			"ES256": signWith(t, jwt.SigningMethodES256, curve, header, claims(nil)),
			"RS256": signWith(t, jwt.SigningMethodRS256, keys[0], header, claims(nil)),
		} {
			if actor, err := v.Verify(t.Context(), token); err == nil {
				t.Errorf("%s with key %v let in %+v", name, odd[n], actor)
			}
		}
	}
	if actor, err := v.Verify(t.Context(), signWith(t, jwt.SigningMethodEdDSA, edwards, nil, claims(nil))); err == nil {
		t.Errorf("without a kid: let in %+v", actor)
	}
}

func FuzzNoForeignBytesPassAPublishedKey(f *testing.F) {
	keys := pair()
	f.Add("a.b.c")
	f.Add(signWith(f, jwt.SigningMethodRS256, keys[1], kid("r"), claims(nil)))
	f.Add(signWith(f, jwt.SigningMethodHS256, []byte("x"), kid("r"), claims(nil)))
	v := newIssuer(f, rsaJWK("r", &keys[0].PublicKey)).verifier(f, auth.Checks{})
	f.Fuzz(func(t *testing.T, token string) {
		if actor, err := v.Verify(t.Context(), token); err == nil {
			t.Fatalf("accepted %q as %+v", token, actor)
		}
	})
}

func TestOperatorsLearnWhatIsInTheWayOfTokens(t *testing.T) {
	keys := pair()
	i := newIssuer(t, rsaJWK("the-only-one", &keys[0].PublicKey))
	cfg := auth.DefaultConfig()
	cfg.Source, cfg.JWKSURL = auth.FromJWKS, i.URL
	from := auth.Sources{Logger: slog.New(slog.DiscardHandler)}
	if said, err := auth.Probe(t.Context(), cfg, from); err != nil || !strings.Contains(said, "the-only-one") {
		t.Errorf("got %q, %v", said, err)
	}
	i.publish(map[string]any{"kty": "oct", "k": "YWJj"})
	if said, err := auth.Probe(t.Context(), cfg, from); err == nil || !strings.Contains(err.Error(), "no key") {
		t.Errorf("got %q, %v", said, err)
	}
	i.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	if said, err := auth.Probe(t.Context(), cfg, from); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %q, %v", said, err)
	}
	cfg = auth.DefaultConfig()
	cfg.SecretKey = "hunter2"
	if said, err := auth.Probe(t.Context(), cfg, from); err != nil || strings.Contains(said, "hunter2") || !strings.Contains(said, "HS256") {
		t.Errorf("got %q, %v", said, err)
	}
}
