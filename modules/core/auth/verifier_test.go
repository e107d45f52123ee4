package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
)

const secret = "a shared secret of the academy, long enough"

var jwtHS256 = jwt.SigningMethodHS256

func verifier(t testing.TB, secrets ...string) *auth.HS256 {
	t.Helper()
	v, err := auth.NewHS256(append(secrets, secret)...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(t testing.TB, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func claims(changes jwt.MapClaims) jwt.MapClaims {
	all := jwt.MapClaims{
		"user_id": "learner-1", "email": "ana@example.org", "roles": []string{"student"},
		"course_ids": []string{"c1"}, "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range changes {
		if value == nil {
			delete(all, name)
		} else {
			all[name] = value
		}
	}
	return all
}

func TestATokenThatHoldsNamesItsBearer(t *testing.T) {
	hs, key := jwt.SigningMethodHS256, []byte(secret)
	for name, c := range map[string]struct {
		claims jwt.MapClaims
		check  func(auth.Actor) bool
	}{
		"all claims": {claims(nil), func(a auth.Actor) bool {
			return a.UserID == "learner-1" && a.Email == "ana@example.org" && a.Has(auth.Student) && a.Joined("c1") && !a.Teaches("c1") && time.Until(a.ExpiresAt) > 50*time.Minute
		}},
		"sub when there is no user_id": {claims(jwt.MapClaims{"user_id": nil, "sub": "u2"}), func(a auth.Actor) bool { return a.UserID == "u2" }},
		"user_id before sub":           {claims(jwt.MapClaims{"sub": "u2"}), func(a auth.Actor) bool { return a.UserID == "learner-1" }},
		"a number as id":               {claims(jwt.MapClaims{"user_id": 42, "course_ids": []int{7}}), func(a auth.Actor) bool { return a.UserID == "42" && a.Joined("7") }},
		"unknown roles give nothing":   {claims(jwt.MapClaims{"roles": []string{"root", "teacher", "teacher"}}), func(a auth.Actor) bool { return slices.Equal(a.Roles, []auth.Role{auth.Teacher}) }},
		"no roles":                     {claims(jwt.MapClaims{"roles": nil}), func(a auth.Actor) bool { return len(a.Roles) == 0 }},
		"expired within the leeway":    {claims(jwt.MapClaims{"exp": time.Now().Add(-10 * time.Second).Unix()}), func(a auth.Actor) bool { return a.UserID != "" }},
		"nbf within the leeway":        {claims(jwt.MapClaims{"nbf": time.Now().Add(10 * time.Second).Unix()}), func(a auth.Actor) bool { return a.UserID != "" }},
		"36 characters":                {claims(jwt.MapClaims{"user_id": strings.Repeat("ñ", 36)}), func(a auth.Actor) bool { return len(a.UserID) == 72 }},
	} {
		actor, err := verifier(t).Verify(t.Context(), sign(t, hs, key, c.claims))
		if err != nil || !c.check(actor) {
			t.Errorf("%s: got %+v, %v", name, actor, err)
		}
	}
}

func TestATokenThatDoesNotHoldIsRefusedWithItsReason(t *testing.T) {
	hs, key := jwt.SigningMethodHS256, []byte(secret)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := sign(t, hs, key, claims(nil))
	parts := strings.Split(good, ".")
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	for name, c := range map[string]struct {
		token string
		kind  *errs.Kind
	}{
		"expired":                 {sign(t, hs, key, claims(jwt.MapClaims{"exp": time.Now().Add(-time.Minute).Unix()})), auth.ErrExpired},
		"alg none":                {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)), auth.ErrAlgorithm},
		"alg none, no signature":  {unsigned, auth.ErrAlgorithm},
		"wrong key":               {sign(t, hs, []byte("another secret"), claims(nil)), auth.ErrSignature},
		"RS256":                   {sign(t, jwt.SigningMethodRS256, private, claims(nil)), auth.ErrAlgorithm},
		"HS512":                   {sign(t, jwt.SigningMethodHS512, key, claims(nil)), auth.ErrAlgorithm},
		"HS384":                   {sign(t, jwt.SigningMethodHS384, key, claims(nil)), auth.ErrAlgorithm},
		"unknown alg":             {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS1","typ":"JWT"}`)) + "." + parts[1] + "." + parts[2], auth.ErrAlgorithm},
		"no exp":                  {sign(t, hs, key, claims(jwt.MapClaims{"exp": nil})), auth.ErrClaim},
		"no user":                 {sign(t, hs, key, claims(jwt.MapClaims{"user_id": nil})), auth.ErrClaim},
		"user too long":           {sign(t, hs, key, claims(jwt.MapClaims{"user_id": strings.Repeat("x", 37)})), auth.ErrClaim},
		"user with line break":    {sign(t, hs, key, claims(jwt.MapClaims{"user_id": "a\nb"})), auth.ErrClaim},
		"user with NUL":           {sign(t, hs, key, claims(jwt.MapClaims{"user_id": "a\x00b"})), auth.ErrClaim},
		"user is an object":       {sign(t, hs, key, claims(jwt.MapClaims{"user_id": map[string]any{}})), auth.ErrMalformed},
		"course with line break":  {sign(t, hs, key, claims(jwt.MapClaims{"course_ids": []string{"a\nb"}})), auth.ErrClaim},
		"not yet valid":           {sign(t, hs, key, claims(jwt.MapClaims{"nbf": time.Now().Add(time.Hour).Unix()})), auth.ErrNotYet},
		"exp is text":             {sign(t, hs, key, claims(jwt.MapClaims{"exp": "tomorrow"})), auth.ErrMalformed},
		"huge":                    {sign(t, hs, key, claims(jwt.MapClaims{"x": strings.Repeat("x", 2*auth.MaxToken)})), auth.ErrMalformed},
		"empty":                   {"", auth.ErrMalformed},
		"not a JWT":               {"hello", auth.ErrMalformed},
		"two parts":               {parts[0] + "." + parts[1], auth.ErrMalformed},
		"four parts":              {good + ".x", auth.ErrMalformed},
		"header not base64":       {"%%." + parts[1] + "." + parts[2], auth.ErrMalformed},
		"payload of another":      {parts[0] + "." + strings.Split(sign(t, hs, key, claims(jwt.MapClaims{"user_id": "eve"})), ".")[1] + "." + parts[2], auth.ErrSignature},
		"signature cut off":       {good[:len(good)-3], auth.ErrSignature},
		"signature left out":      {parts[0] + "." + parts[1] + ".", auth.ErrSignature},
		"NUL behind the token":    {good + "\x00", auth.ErrMalformed},
		"JSON in place of a part": {`{"alg":"HS256"}.` + parts[1] + "." + parts[2], auth.ErrMalformed},
	} {
		actor, err := verifier(t).Verify(t.Context(), c.token)
		if !c.kind.Is(err) || actor.UserID != "" {
			t.Errorf("%s: got %+v, %v", name, actor, err)
			continue
		}
		for _, part := range strings.Split(c.token, ".") {
			if len(part) > 8 && strings.Contains(err.Error(), part) {
				t.Errorf("%s: the error repeats the token: %v", name, err)
			}
		}
		var e *errs.Error
		if errors.As(err, &e); e.Kind.Code != errs.Unauthenticated || e.Spanish == "" {
			t.Errorf("%s: got %+v", name, e)
		}
	}
}

func TestIssuerAndAudienceAreAskedForWhereTheyAreSet(t *testing.T) {
	strict := verifier(t).Checking(auth.Checks{Issuer: "academy", Audience: []string{"tracker", "editor"}})
	for name, c := range map[string]struct {
		changes jwt.MapClaims
		ok      bool
	}{
		"both":               {jwt.MapClaims{"iss": "academy", "aud": "tracker"}, true},
		"one of several":     {jwt.MapClaims{"iss": "academy", "aud": []string{"shop", "editor"}}, true},
		"another issuer":     {jwt.MapClaims{"iss": "academy.example", "aud": "tracker"}, false},
		"no issuer":          {jwt.MapClaims{"aud": "tracker"}, false},
		"another audience":   {jwt.MapClaims{"iss": "academy", "aud": "shop"}, false},
		"part of a name":     {jwt.MapClaims{"iss": "academy", "aud": "track"}, false},
		"no audience":        {jwt.MapClaims{"iss": "academy"}, false},
		"an empty audience":  {jwt.MapClaims{"iss": "academy", "aud": []string{}}, false},
		"issuer is a number": {jwt.MapClaims{"iss": 7, "aud": "tracker"}, false},
	} {
		token := sign(t, jwtHS256, []byte(secret), claims(c.changes))
		if actor, err := strict.Verify(t.Context(), token); (err == nil) != c.ok || errs.CodeOf(err) == errs.Internal && !c.ok {
			t.Errorf("%s: got %+v, %v", name, actor, err)
		}
		if _, isNumber := c.changes["iss"].(int); isNumber {
			continue
		}
		if _, err := verifier(t).Verify(t.Context(), token); err != nil {
			t.Errorf("%s: where nothing is set: %v", name, err)
		}
	}
}

func TestARotatedSecretKeepsOldTokensValid(t *testing.T) {
	old := sign(t, jwt.SigningMethodHS256, []byte(secret), claims(nil))
	if _, err := verifier(t, "the new secret").Verify(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	fresh := sign(t, jwt.SigningMethodHS256, []byte("the new secret"), claims(nil))
	if _, err := verifier(t, "the new secret").Verify(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.NewHS256("", secret); err == nil {
		t.Fatal("an empty secret was taken")
	}
	if _, err := auth.NewHS256(); err == nil {
		t.Fatal("a verifier without secret was made")
	}
}

func TestTheMiddlewareFindsTheTokenWhereItIsAllowed(t *testing.T) {
	good := sign(t, jwt.SigningMethodHS256, []byte(secret), claims(nil))
	for name, c := range map[string]struct {
		access auth.Access
		target string
		header []string
		want   string
		kind   *errs.Kind
	}{
		"header":                  {auth.SignedIn, "/x", []string{"Bearer " + good}, "learner-1", nil},
		"scheme in small letters": {auth.SignedIn, "/x", []string{"bearer  " + good}, "learner-1", nil},
		"none":                    {auth.SignedIn, "/x", nil, "", auth.ErrNoToken},
		"basic":                   {auth.SignedIn, "/x", []string{"Basic YTpi"}, "", auth.ErrNoToken},
		"two headers":             {auth.SignedIn, "/x", []string{"Bearer " + good, "Bearer " + good}, "", auth.ErrNoToken},
		"query where not allowed": {auth.SignedIn, "/x?token=" + good, nil, "", auth.ErrNoToken},
		"query":                   {auth.QueryToken, "/ws?a=1&token=" + good, nil, "learner-1", nil},
		"query, bad":              {auth.QueryToken, "/ws?token=x", nil, "", auth.ErrMalformed},
		"query, none":             {auth.QueryToken, "/ws", nil, "", auth.ErrNoToken},
		"public looks at none":    {auth.Public, "/healthz", []string{"Bearer x"}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, c.target, nil)
			r.Header["Authorization"] = c.header
			var got error
			served := false
			handler := auth.Middleware(verifier(t), func(*http.Request) auth.Access { return c.access }, func(_ http.ResponseWriter, _ *http.Request, err error) { got = err })
			handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				served = true
				actor, _ := auth.FromContext(r.Context())
				if actor.UserID != c.want {
					t.Errorf("got %+v", actor)
				}
				if c.access == auth.QueryToken && (strings.Contains(r.URL.String(), "token") || strings.Contains(r.RequestURI, "token")) {
					t.Errorf("the token is still in %s, %s", r.URL, r.RequestURI)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
			if c.kind == nil && (got != nil || !served) || c.kind != nil && (!c.kind.Is(got) || served) {
				t.Errorf("served %t, refused with %v", served, got)
			}
		})
	}
}

func TestACallInProcessBringsItsActorUntilTheTokenEnds(t *testing.T) {
	for name, c := range map[string]struct {
		actor auth.Actor
		kind  *errs.Kind
	}{
		"a person":           {auth.Actor{UserID: "u", ExpiresAt: time.Now().Add(time.Minute)}, nil},
		"the system":         {auth.System("agents"), nil},
		"nobody":             {auth.Actor{}, auth.ErrNoToken},
		"an expired session": {auth.Actor{UserID: "u", ExpiresAt: time.Now().Add(-time.Minute)}, auth.ErrExpired},
	} {
		var got error
		handler := auth.Middleware(verifier(t), func(*http.Request) auth.Access { return auth.SignedIn }, func(_ http.ResponseWriter, _ *http.Request, err error) { got = err })
		r := httptest.NewRequest(http.MethodGet, "/x", nil)
		handler(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r.WithContext(auth.WithActor(r.Context(), c.actor)))
		if c.kind == nil && got != nil || c.kind != nil && !c.kind.Is(got) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func FuzzVerifyNeverAcceptsForeignBytes(f *testing.F) {
	f.Add("a.b.c")
	f.Add(sign(f, jwt.SigningMethodHS256, []byte("another"), claims(nil)))
	v := verifier(f)
	f.Fuzz(func(t *testing.T, token string) {
		if actor, err := v.Verify(t.Context(), token); err == nil {
			t.Fatalf("accepted %q as %+v", token, actor)
		}
	})
}
