package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

func TestTokensSignedWithPublishedKeysAreTaken(t *testing.T) {
	keys := pair()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, edwardsKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := curve.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	i := newIssuer(t, rsaJWK("r", &keys[0].PublicKey),
		map[string]any{"kty": "EC", "crv": "P-256", "kid": "e", "x": encode(point[1:33]), "y": encode(point[33:])},
		map[string]any{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "o", "x": encode(edwards)},
		map[string]any{"kty": "XYZ", "kid": "of a kind nobody knows"})
	v := i.verifier(t, auth.Checks{})
	for name, token := range map[string]string{
		"RS256":              signWith(t, jwt.SigningMethodRS256, keys[0], kid("r"), claims(nil)),
		"RS256 without kid":  signWith(t, jwt.SigningMethodRS256, keys[0], nil, claims(nil)),
		"ES256":              signWith(t, jwt.SigningMethodES256, curve, kid("e"), claims(nil)),
		"EdDSA":              signWith(t, jwt.SigningMethodEdDSA, edwardsKey, kid("o"), claims(nil)),
		"links are not read": signWith(t, jwt.SigningMethodRS256, keys[0], map[string]any{"kid": "r", "jku": i.URL + "/evil", "x5u": i.URL + "/evil"}, claims(nil)),
	} {
		actor, err := v.Verify(t.Context(), token)
		if err != nil || actor.UserID != "learner-1" || !actor.Joined("c1") {
			t.Errorf("%s: got %+v, %v", name, actor, err)
		}
	}
	if n := i.asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times", n)
	}
}

func TestForgedTokensAreRefusedWhateverTheyName(t *testing.T) {
	keys := pair()
	public := &keys[0].PublicKey
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	secretJWK := map[string]any{"kty": "oct", "kid": "s", "alg": "HS256", "k": base64.RawURLEncoding.EncodeToString([]byte(secret))}
	i := newIssuer(t, rsaJWK("r", public), secretJWK,
		map[string]any{"kty": "RSA", "use": "enc", "kid": "enc", "n": b64(keys[1].N), "e": "AQAB"})
	v := i.verifier(t, auth.Checks{Issuer: "academy", Audience: []string{"tracker"}})
	good := jwt.MapClaims{"iss": "academy", "aud": []string{"x", "tracker"}}
	own := map[string]any{"kid": "r", "jwk": rsaJWK("r", &keys[1].PublicKey)}
	if actor, err := v.Verify(t.Context(), signWith(t, jwt.SigningMethodRS256, keys[0], kid("r"), claims(good))); err != nil || actor.UserID == "" {
		t.Fatalf("the good one is refused: %v", err)
	}
	with := func(name string, value any) jwt.MapClaims {
		c := jwt.MapClaims{"iss": "academy", "aud": "tracker"}
		c[name] = value
		return claims(c)
	}
	ok := claims(good)
	rs := jwt.SigningMethodRS256
	for name, c := range map[string]struct {
		token string
		kind  *errs.Kind
	}{
		"alg none":                          {signWith(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, kid("r"), ok), auth.ErrAlgorithm},
		"HS256 with the public key as PEM":  {signWith(t, jwt.SigningMethodHS256, asPEM, kid("r"), ok), auth.ErrAlgorithm},
		"HS256 with the public key as DER":  {signWith(t, jwt.SigningMethodHS256, der, kid("r"), ok), auth.ErrAlgorithm},
		"HS256 with the modulus":            {signWith(t, jwt.SigningMethodHS256, public.N.Bytes(), nil, ok), auth.ErrAlgorithm},
		"HS256 with a published secret":     {signWith(t, jwt.SigningMethodHS256, []byte(secret), kid("s"), ok), auth.ErrAlgorithm},
		"RS256 naming a published secret":   {signWith(t, rs, keys[0], kid("s"), ok), auth.ErrSignature},
		"PS256, which is not configured":    {signWith(t, jwt.SigningMethodPS256, keys[0], kid("r"), ok), auth.ErrAlgorithm},
		"another key under a known id":      {signWith(t, rs, keys[1], kid("r"), ok), auth.ErrSignature},
		"a key that it brings itself":       {signWith(t, rs, keys[1], own, ok), auth.ErrSignature},
		"a key for encryption":              {signWith(t, rs, keys[1], kid("enc"), ok), auth.ErrSignature},
		"an unknown id":                     {signWith(t, rs, keys[0], kid("../../../../dev/null"), ok), auth.ErrSignature},
		"an id that is an address":          {signWith(t, rs, keys[1], kid(i.URL+"/evil"), ok), auth.ErrSignature},
		"an id of SQL":                      {signWith(t, rs, keys[1], kid("' UNION SELECT 'r"), ok), auth.ErrSignature},
		"an id that is a number":            {signWith(t, rs, keys[0], kid(7), ok), auth.ErrAlgorithm},
		"an id that is a list":              {signWith(t, rs, keys[0], kid([]string{"r"}), ok), auth.ErrAlgorithm},
		"an empty id":                       {signWith(t, rs, keys[0], kid(""), ok), auth.ErrSignature},
		"critical headers":                  {signWith(t, rs, keys[0], map[string]any{"kid": "r", "crit": []string{"exp"}}, ok), auth.ErrMalformed},
		"expired":                           {signWith(t, rs, keys[0], kid("r"), with("exp", time.Now().Add(-31*time.Second).Unix())), auth.ErrExpired},
		"not yet":                           {signWith(t, rs, keys[0], kid("r"), with("nbf", time.Now().Add(time.Minute).Unix())), auth.ErrNotYet},
		"issued in the future":              {signWith(t, rs, keys[0], kid("r"), with("iat", time.Now().Add(time.Minute).Unix())), auth.ErrNotYet},
		"no end":                            {signWith(t, rs, keys[0], kid("r"), with("exp", nil)), auth.ErrClaim},
		"another issuer":                    {signWith(t, rs, keys[0], kid("r"), with("iss", "academy.example")), auth.ErrClaim},
		"no issuer":                         {signWith(t, rs, keys[0], kid("r"), with("iss", nil)), auth.ErrClaim},
		"another audience":                  {signWith(t, rs, keys[0], kid("r"), with("aud", "shop")), auth.ErrClaim},
		"no audience":                       {signWith(t, rs, keys[0], kid("r"), with("aud", nil)), auth.ErrClaim},
		"huge":                              {signWith(t, rs, keys[0], kid("r"), with("x", strings.Repeat("x", auth.MaxToken))), auth.ErrMalformed},
		"an id longer than a token may be":  {signWith(t, rs, keys[0], kid(strings.Repeat("k", auth.MaxToken)), ok), auth.ErrMalformed},
		"a secret's verifier would take it": {sign(t, jwt.SigningMethodHS256, []byte(secret), ok), auth.ErrAlgorithm},
	} {
		actor, err := v.Verify(t.Context(), c.token)
		if !c.kind.Is(err) || actor.UserID != "" {
			t.Errorf("%s: got %+v, %v", name, actor, err)
		}
	}
	// And the other way round: what is published opens nothing where a secret is shared.
	for _, token := range []string{
		signWith(t, rs, keys[0], kid("r"), ok), signWith(t, jwt.SigningMethodHS256, asPEM, kid("r"), ok),
	} {
		if actor, err := verifier(t).Verify(t.Context(), token); err == nil {
			t.Errorf("a secret's verifier took %+v", actor)
		}
	}
}

func TestAKeyIDThatStandsForTwoKeysStandsForNone(t *testing.T) {
	keys := pair()
	i := newIssuer(t, rsaJWK("twice", &keys[0].PublicKey), rsaJWK("twice", &keys[1].PublicKey),
		rsaJWK("same", &keys[0].PublicKey), rsaJWK("same", &keys[0].PublicKey))
	v := i.verifier(t, auth.Checks{})
	for _, key := range keys {
		if actor, err := v.Verify(t.Context(), signWith(t, jwt.SigningMethodRS256, key, kid("twice"), claims(nil))); !auth.ErrSignature.Is(err) {
			t.Errorf("an ambiguous id let in %+v, %v", actor, err)
		}
	}
	if _, err := v.Verify(t.Context(), signWith(t, jwt.SigningMethodRS256, keys[0], kid("same"), claims(nil))); err != nil {
		t.Errorf("the same key twice: %v", err)
	}
}

func TestAShortKeyIsNotTaken(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	i := newIssuer(t, rsaJWK("short", &short.PublicKey))
	if actor, err := i.verifier(t, auth.Checks{}).Verify(t.Context(), signWith(t, jwt.SigningMethodRS256, short, kid("short"), claims(nil))); !auth.ErrSignature.Is(err) {
		t.Errorf("got %+v, %v", actor, err)
	}
}

func TestANewKeyIsFoundWhenATokenNamesIt(t *testing.T) {
	keys := pair()
	i := newIssuer(t, rsaJWK("old", &keys[0].PublicKey))
	v := i.verifier(t, auth.Checks{})
	old := signWith(t, jwt.SigningMethodRS256, keys[0], kid("old"), claims(nil))
	if _, err := v.Verify(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	i.publish(rsaJWK("old", &keys[0].PublicKey), rsaJWK("new", &keys[1].PublicKey))
	fresh := signWith(t, jwt.SigningMethodRS256, keys[1], kid("new"), claims(nil))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), fresh); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, err := v.Verify(t.Context(), old); err != nil {
		t.Errorf("the old key holds as long as it is published: %v", err)
	}
	if n := i.asked.Load(); n != 2 {
		t.Errorf("the issuer was asked %d times", n)
	}
}

func TestAFloodOfUnknownKeyIDsAsksTheIssuerAHandfulOfTimes(t *testing.T) {
	keys := pair()
	i := newIssuer(t, rsaJWK("r", &keys[0].PublicKey))
	v := i.verifier(t, auth.Checks{})
	good := signWith(t, jwt.SigningMethodRS256, keys[0], kid("r"), claims(nil))
	bad := make([]string, 40)
	for n := range bad {
		bad[n] = signWith(t, jwt.SigningMethodRS256, keys[1], kid(fmt.Sprint("none-", n)), claims(nil))
	}
	var wg sync.WaitGroup
	for _, token := range bad {
		wg.Go(func() {
			for range 25 {
				if actor, err := v.Verify(t.Context(), token); err == nil {
					t.Errorf("took %+v", actor)
				}
				if _, err := v.Verify(t.Context(), good); err != nil {
					t.Errorf("a good token is refused meanwhile: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := i.asked.Load(); n > 2 {
		t.Errorf("1,000 unknown ids asked the issuer %d times", n)
	}
}
