package standin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
)

func TestTokensCarryTheClaimsOfTheContractUnderTheSharedSecret(t *testing.T) {
	const secret = "another-secret-of-more-than-32-bytes"
	b := setup(t, standin.Config{SecretKey: secret, Now: time.Now})
	raw := b.login("tess@academy.test", "tess-teaches").Token
	claims := jwt.MapClaims{}
	token, err := jwt.ParseWithClaims(raw, claims, func(*jwt.Token) (any, error) { return []byte(secret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	if err != nil || !token.Valid {
		t.Fatalf("parse: %v", err)
	}
	if claims["user_id"] != "teacher-tess" || claims["sub"] != "teacher-tess" || claims["email"] != "tess@academy.test" || claims["iss"] != "pixel-verse-academy" {
		t.Errorf("claims: %v", claims)
	}
	if roles, _ := claims["roles"].([]any); !slices.Equal(roles, []any{"teacher"}) {
		t.Errorf("roles: %v", claims["roles"])
	}
	if ids, _ := claims["course_ids"].([]any); !slices.Equal(ids, []any{"python-basics-en", "python-basics-es"}) {
		t.Errorf("course_ids: %v", claims["course_ids"])
	}
}

func TestATeachersTokenListsOnlyCoursesTheyTeach(t *testing.T) {
	both := standin.User{
		ID: "both", Email: "both@academy.test", Password: "p", Roles: []string{"student", "teacher"},
		Courses: []standin.Membership{{CourseID: "python-basics-en", Role: "student"}, {CourseID: "python-basics-es", Role: "teacher"}},
	}
	b := setup(t, standin.Config{Users: []standin.User{both}})
	if ids := b.validate(b.login(both.Email, "p").Token).CourseIDs; !slices.Equal(ids, []string{"python-basics-es"}) {
		t.Errorf("course_ids: %v", ids)
	}
}

func (b *bundle) validate(token string) standin.Claims {
	b.t.Helper()
	var claims standin.Claims
	b.answer(200, &claims, "POST", "/api/auth/validate", toJSON(b.t, map[string]string{"token": token}), withKey()...)
	return claims
}

func TestValidateRefusesEveryTokenThatIsNotItsOwn(t *testing.T) {
	b := setup(t, standin.Config{})
	good := b.login("ben@academy.test", "ben-learns").Token
	if claims := b.validate(good); claims.UserID != "learner-ben" || claims.ExpiresAt == nil || !slices.Equal(claims.Roles, []string{"student"}) {
		t.Errorf("claims: %+v", claims)
	}
	now := b.clock.Now()
	claims := jwt.MapClaims{"user_id": "learner-ben", "iss": "pixel-verse-academy", "exp": now.Add(time.Hour).Unix()}
	sign := func(method jwt.SigningMethod, key any, without ...string) string {
		c := jwt.MapClaims{}
		for k, v := range claims {
			if !slices.Contains(without, k) {
				c[k] = v
			}
		}
		signed, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	key := []byte(standin.SampleSecretKey)
	if got := b.validate(sign(jwt.SigningMethodHS256, key)); got.UserID != "learner-ben" {
		t.Fatalf("the control token must pass: %+v", got)
	}
	bad := map[string]string{
		"empty":        "",
		"not a JWT":    "a.b.c",
		"none":         sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType),
		"wrong key":    sign(jwt.SigningMethodHS256, []byte("another-secret-of-more-than-32-bytes")),
		"other alg":    sign(jwt.SigningMethodHS512, key),
		"no exp":       sign(jwt.SigningMethodHS256, key, "exp"),
		"other issuer": sign(jwt.SigningMethodHS256, key, "iss"),
		"no user":      sign(jwt.SigningMethodHS256, key, "user_id"),
		"tampered":     good[:len(good)-6] + "AAAAAA",
	}
	for name, token := range bad {
		t.Run(name, func(t *testing.T) {
			b.with(t).refused(http.StatusUnauthorized, "invalid_token", "POST", "/api/auth/validate", toJSON(t, map[string]string{"token": token}), withKey()...)
		})
	}
	b.clock.advance(61 * time.Minute)
	b.refused(http.StatusUnauthorized, "invalid_token", "POST", "/api/auth/validate", toJSON(t, map[string]string{"token": good}), withKey()...)
}

func TestHS256AcademiesPublishNoKeys(t *testing.T) {
	b := setup(t, standin.Config{})
	var set struct{ Keys []any }
	b.answer(200, &set, "GET", "/.well-known/jwks.json", "")
	if set.Keys == nil || len(set.Keys) != 0 {
		t.Errorf("keys: %v, want an empty list", set.Keys)
	}
}

func TestRS256TokensVerifyWithThePublishedKeyAndNoOther(t *testing.T) {
	b := setup(t, standin.Config{Algorithm: standin.RS256, Now: time.Now})
	var set struct {
		Keys []struct{ Kty, Use, Alg, Kid, N, E string }
	}
	b.answer(200, &set, "GET", "/.well-known/jwks.json", "")
	if len(set.Keys) != 1 || set.Keys[0].Kty != "RSA" || set.Keys[0].Use != "sig" || set.Keys[0].Alg != "RS256" {
		t.Fatalf("JWKS: %+v", set)
	}
	decode := func(s string) *big.Int {
		raw, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(raw)
	}
	public := &rsa.PublicKey{N: decode(set.Keys[0].N), E: int(decode(set.Keys[0].E).Int64())}
	raw := b.login("ben@academy.test", "ben-learns").Token
	verify := func(key *rsa.PublicKey) error {
		_, err := jwt.Parse(raw, func(tok *jwt.Token) (any, error) {
			if tok.Header["kid"] != set.Keys[0].Kid {
				t.Errorf("kid %v, want %s", tok.Header["kid"], set.Keys[0].Kid)
			}
			return key, nil
		}, jwt.WithValidMethods([]string{"RS256"}))
		return err
	}
	if err := verify(public); err != nil {
		t.Errorf("verify with the published key: %v", err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(&other.PublicKey); err == nil {
		t.Error("another key verified the token")
	}
	// The classic confusion: HS256 under the public modulus or the shared secret.
	for _, key := range [][]byte{public.N.Bytes(), []byte(standin.SampleSecretKey)} {
		forged, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"user_id": "admin-ada", "iss": "pixel-verse-academy", "exp": time.Now().Add(time.Hour).Unix(),
		}).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		b.refused(401, "invalid_token", "POST", "/api/auth/validate", toJSON(t, map[string]string{"token": forged}), withKey()...)
	}
}

func (b *bundle) refreshOK(token string) standin.Tokens {
	b.t.Helper()
	var next standin.Tokens
	b.answer(200, &next, "POST", "/api/auth/refresh", toJSON(b.t, map[string]string{"refresh_token": token}))
	return next
}

func (b *bundle) refreshRefused(token string) {
	b.t.Helper()
	b.refused(401, "unauthenticated", "POST", "/api/auth/refresh", toJSON(b.t, map[string]string{"refresh_token": token}))
}

func TestRefreshRotatesAndAReusedTokenEndsTheLogin(t *testing.T) {
	b := setup(t, standin.Config{})
	first := b.login("ben@academy.test", "ben-learns")
	second := b.refreshOK(first.RefreshToken)
	if second.RefreshToken == first.RefreshToken || second.Token == first.Token || second.UserID != "learner-ben" {
		t.Fatalf("first %+v, second %+v", first, second)
	}
	b.validate(second.Token)
	third := b.refreshOK(second.RefreshToken)
	elsewhere := b.login("ben@academy.test", "ben-learns")

	b.refreshRefused(first.RefreshToken)
	b.refreshRefused(third.RefreshToken)
	b.refreshOK(elsewhere.RefreshToken)
}

func TestRefreshTokensExpireAndUnknownOnesAreRefused(t *testing.T) {
	b := setup(t, standin.Config{RefreshTTL: time.Hour})
	tokens := b.login("ben@academy.test", "ben-learns")
	b.refreshRefused("made-up")
	b.refused(400, "invalid_argument", "POST", "/api/auth/refresh", `{}`)
	b.refused(400, "invalid_argument", "POST", "/api/auth/refresh", `[]`)
	b.clock.advance(time.Hour)
	b.refreshRefused(tokens.RefreshToken)
}

func TestConcurrentRefreshesOfOneTokenSucceedOnce(t *testing.T) {
	b := setup(t, standin.Config{})
	tokens := b.login("ben@academy.test", "ben-learns")
	body := toJSON(t, map[string]string{"refresh_token": tokens.RefreshToken})
	statuses := make([]int, 8)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			resp, _ := b.do("POST", "/api/auth/refresh", body)
			statuses[i] = resp.StatusCode
		})
	}
	wg.Wait()
	slices.Sort(statuses)
	if statuses[0] != 200 || statuses[1] != 401 {
		t.Errorf("statuses %v, want one 200 and seven 401", statuses)
	}
}

func TestTokenHelperSignsForAnyKnownUser(t *testing.T) {
	b := setup(t, standin.Config{})
	token, err := b.academy.Token("learner-iris")
	if err != nil || token == "" {
		t.Fatalf("token for an inactive user: %q, %v", token, err)
	}
	if _, err := b.academy.Token("nobody"); err == nil {
		t.Error("a token for nobody was signed")
	}
}
