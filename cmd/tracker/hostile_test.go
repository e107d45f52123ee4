package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestTokensThatDoNotHoldAreRefusedEverywhere(t *testing.T) {
	w := startWorld(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := jwt.MapClaims{"user_id": "ada", "roles": []string{"student"}, "exp": in(time.Hour)}
	tokens := map[string]string{
		"none at all":      "",
		"not a token":      "abc",
		"expired":          sign(jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"user_id": "ada", "exp": in(-time.Hour)}),
		"alg none":         sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"another key":      sign(jwt.SigningMethodHS256, []byte(strings.Repeat("x", 40)), good),
		"another alg":      sign(jwt.SigningMethodHS512, []byte(testSecret), good),
		"asymmetric alg":   sign(jwt.SigningMethodRS256, rsaKey, good),
		"no exp":           sign(jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"user_id": "ada"}),
		"no user":          sign(jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"exp": in(time.Hour)}),
		"not yet":          sign(jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"user_id": "ada", "exp": in(2 * time.Hour), "nbf": in(time.Hour)}),
		"a user too long":  sign(jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"user_id": strings.Repeat("a", 37), "exp": in(time.Hour)}),
		"a huge token":     sign(jwt.SigningMethodHS256, []byte(testSecret), jwt.MapClaims{"user_id": "ada", "exp": in(time.Hour), "pad": strings.Repeat("a", 20000)}),
		"a cut signature":  strings.TrimSuffix(sign(jwt.SigningMethodHS256, []byte(testSecret), good), "A")[:80],
		"a bearer of none": "Bearer ",
	}
	for name, token := range tokens {
		for _, path := range []string{"/api/v1/goals", "/tracker.goals.v1.GoalsService/ListGoals", "/ws?token=" + url.QueryEscape(token)} {
			method := http.MethodGet
			var body any
			if strings.HasPrefix(path, "/tracker") {
				method, body = http.MethodPost, map[string]any{}
			}
			me := caller{t: t, url: w.url, token: token}
			if strings.HasPrefix(path, "/ws") {
				me.token = ""
			}
			r := me.send(method, path, body)
			if r.status != http.StatusUnauthorized && r.status != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("%s on %s: %d %s", name, strings.Split(path, "?")[0], r.status, r.body)
			}
			if token != "" && len(token) > 10 && bytes.Contains(r.body, []byte(token)) {
				t.Errorf("%s: the answer repeats the token", name)
			}
		}
	}
}

// lenient is what Connect's own JSON passes over, as protojson does for clients
// of other versions; REST refuses it.
var lenient = []string{"unknown field", "someone's user id", "wrong enum"}

func TestHostileBodiesGetClearErrorsAndChangeNothing(t *testing.T) {
	w := startWorld(t)
	me := w.as("ada", "student")
	deep := strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)
	bodies := map[string][]byte{
		"no JSON":           []byte("title=x"),
		"half":              []byte(`{"title":"x"`),
		"two values":        []byte(`{"title":"x"} {"title":"y"}`),
		"an array":          []byte(`[]`),
		"nothing":           nil,
		"not UTF-8":         []byte("{\"title\":\"\xff\xfe\"}"),
		"NUL":               []byte("{\"title\":\"a\\u0000b\"}"),
		"raw NUL":           []byte("{\"title\":\"a\x00b\"}"),
		"half a surrogate":  []byte(`{"title":"\ud800"}`),
		"unknown field":     []byte(`{"title":"x","owner":"bob"}`),
		"twice":             []byte(`{"title":"x","title":"y"}`),
		"wrong type":        []byte(`{"title":7}`),
		"wrong enum":        []byte(`{"title":"x","priority":"huge"}`),
		"no title":          []byte(`{"title":""}`),
		"title too long":    []byte(`{"title":"` + strings.Repeat("x", 501) + `"}`),
		"metadata a list":   []byte(`{"title":"x","metadata":[1]}`),
		"metadata too big":  []byte(`{"title":"x","metadata":{"a":"` + strings.Repeat("x", 17000) + `"}}`),
		"deep":              []byte(`{"title":"x","metadata":` + deep + `}`),
		"deep outside":      []byte(deep),
		"a date of a kind":  []byte(`{"title":"x","due_at":"tomorrow"}`),
		"a huge number":     []byte(`{"title":"x","due_at":1e999}`),
		"oversize":          []byte(`{"title":"x","description":"` + strings.Repeat("x", 9<<20) + `"}`),
		"someone's user id": []byte(`{"title":"x","user_id":"bob"}`),
	}
	for name, body := range bodies {
		for _, path := range []string{"/api/v1/goals", "/tracker.goals.v1.GoalsService/CreateGoal"} {
			if body == nil {
				body = []byte{}
			}
			if strings.HasPrefix(path, "/tracker") && slices.Contains(lenient, name) {
				continue
			}
			r := me.send(http.MethodPost, path, body)
			var problem struct {
				Code    string `json:"code"`
				Detail  string `json:"detail"`
				Message string `json:"message"`
			}
			err := json.Unmarshal(r.body, &problem)
			if r.status < 400 || r.status >= 500 || err != nil || problem.Code == "" || problem.Detail+problem.Message == "" {
				t.Errorf("%s on %s: %d %.300s", name, path, r.status, r.body)
			}
			if strings.Contains(string(r.body), "goroutine") || strings.Contains(string(r.body), ".go:") {
				t.Errorf("%s: the answer holds a trace: %.300s", name, r.body)
			}
		}
	}
	if r := me.must(http.MethodGet, "/api/v1/goals", nil); len(list(r, "goals")) != 0 {
		t.Errorf("something was changed: %s", r.body)
	}
	for _, key := range []string{strings.Repeat("k", 201), "ümlaut", "a b\tc"} {
		r := me.send(http.MethodPost, "/api/v1/goals", map[string]any{"title": "x"}, "Idempotency-Key", key)
		if r.status != http.StatusBadRequest {
			t.Errorf("Idempotency-Key %q: %d %s", key, r.status, r.body)
		}
	}
}

func TestErrorsSpeakTheReadersLanguage(t *testing.T) {
	w := startWorld(t)
	me := w.as("ada", "student")
	path := "/api/v1/goals/0190a000-0000-7000-8000-000000000000"
	english, spanish := me.send(http.MethodGet, path, nil), me.send(http.MethodGet, path, nil, "Accept-Language", "es-ES,es;q=0.9")
	if english.field("detail") == spanish.field("detail") || english.field("code") != "not_found" || spanish.field("code") != "not_found" {
		t.Errorf("got %s and %s", english.body, spanish.body)
	}
	if english.header.Get("Content-Type") != "application/problem+json" {
		t.Error(english.header)
	}
}

func TestRESTIsAsTheDesignSays(t *testing.T) {
	w := startWorld(t)
	me := w.as("ada", "student")
	created := me.send(http.MethodPost, "/api/v1/goals/", map[string]any{"title": "Learn Go", "priority": "high", "metadata": map[string]any{"a": map[string]any{"b": 1}}})
	if created.status != http.StatusCreated || created.field("priority") != "high" || created.field("status") != "pending" {
		t.Fatalf("%d %s", created.status, created.body)
	}
	if fmt.Sprint(created.field("metadata")) != "map[a:map[b:1]]" {
		t.Errorf("metadata is %v", created.field("metadata"))
	}
	path := "/api/v1/goals/" + created.field("id").(string)
	if r := me.send(http.MethodPatch, path, map[string]any{"description": "d", "version": 1}); r.status != http.StatusOK || r.field("version") != 2.0 || r.field("title") != "Learn Go" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := me.send(http.MethodPatch, path, map[string]any{"title": "late", "version": 1}); r.status != http.StatusConflict || r.field("code") != "aborted" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := me.send(http.MethodPost, path+":start", map[string]any{}); r.status != http.StatusOK || r.field("status") != "in_progress" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := me.send(http.MethodPatch, path+"/progress", map[string]any{"progress": 40}); r.status != http.StatusOK || r.field("progress") != 40.0 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := me.send(http.MethodGet, "/api/v1/goals?status=in_progress&page_size=1", nil); r.status != http.StatusOK || len(list(r, "goals")) != 1 || r.field("next_page_token") != "" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := me.send(http.MethodDelete, path, nil); r.status != http.StatusNoContent || len(r.body) != 0 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := me.send(http.MethodGet, path, nil); r.status != http.StatusNotFound {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestAnInactivePersonIsRefusedWhateverTheTokenSays(t *testing.T) {
	w := startWorld(t)
	iris := w.as("learner-iris", "student")
	for _, path := range []string{"/api/v1/goals", "/ws?token=" + iris.token} {
		r := iris.send(http.MethodGet, path, nil)
		if r.status != http.StatusForbidden || r.field("reason") != "user_inactive" {
			t.Errorf("%s: %d %s", strings.Split(path, "?")[0], r.status, r.body)
		}
	}
	if r := w.as("learner-ben", "student").send(http.MethodGet, "/api/v1/goals", nil); r.status != http.StatusOK {
		t.Errorf("an active person: %d %s", r.status, r.body)
	}
}
