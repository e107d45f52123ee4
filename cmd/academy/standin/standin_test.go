package standin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type bundle struct {
	t       *testing.T
	academy *standin.Server
	clock   *clock
	url     string
	client  *http.Client // follows no redirects
}

func setup(t *testing.T, config standin.Config) *bundle {
	t.Helper()
	b := &bundle{t: t, clock: &clock{now: time.Now()}}
	if config.Now == nil {
		config.Now = b.clock.Now
	}
	academy, err := standin.New(config)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(academy)
	t.Cleanup(srv.Close)
	b.academy, b.url = academy, srv.URL
	b.client = srv.Client()
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

// with is the same bundle for a subtest, so that it fails by itself.
func (b *bundle) with(t *testing.T) *bundle {
	t.Helper()
	sub := *b
	sub.t = t
	return &sub
}

// do sends one request and returns the response with its whole body.
func (b *bundle) do(method, path, body string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, string(raw)
}

// answer sends a request, checks the status and decodes the JSON body.
func (b *bundle) answer(status int, into any, method, path, body string, headers ...string) {
	b.t.Helper()
	resp, raw := b.do(method, path, body, headers...)
	if resp.StatusCode != status {
		b.t.Fatalf("%s %s: status %d, want %d: %s", method, path, resp.StatusCode, status, raw)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "application/json" {
		b.t.Errorf("%s %s: content type %q", method, path, ct)
	}
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		b.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
	}
}

// refused checks that a request is answered with a status and an error code.
func (b *bundle) refused(status int, code, method, path, body string, headers ...string) {
	b.t.Helper()
	var got struct{ Code, Message string }
	b.answer(status, &got, method, path, body, headers...)
	if got.Code != code || got.Message == "" {
		b.t.Errorf("%s %s: error %+v, want code %s with a message", method, path, got, code)
	}
}

func (b *bundle) login(email, password string) standin.Tokens {
	b.t.Helper()
	var tokens standin.Tokens
	b.answer(http.StatusOK, &tokens, "POST", "/api/auth/login", toJSON(b.t, map[string]string{"email": email, "password": password}))
	return tokens
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func withKey() []string { return []string{"Authorization", "Bearer " + standin.SampleServiceAPIKey} }

func TestSamplePeopleCanAllLogInExceptTheInactiveOne(t *testing.T) {
	b := setup(t, standin.Config{})
	var learners, teachers, admins, inactive int
	for _, u := range standin.SampleUsers() {
		if n := len([]rune(u.ID)); n == 0 || n > 36 {
			t.Errorf("id %q has %d characters", u.ID, n)
		}
		body := toJSON(t, map[string]string{"email": strings.ToUpper(u.Email), "password": u.Password})
		if u.Inactive {
			inactive++
			b.refused(http.StatusForbidden, "permission_denied", "POST", "/api/auth/login", body)
			continue
		}
		var tokens standin.Tokens
		b.answer(http.StatusOK, &tokens, "POST", "/api/auth/login", body)
		if tokens.UserID != u.ID || tokens.TokenType != "Bearer" || tokens.ExpiresIn != 3600 || tokens.RefreshToken == "" {
			t.Errorf("login of %s: %+v", u.Email, tokens)
		}
		switch u.Roles[0] {
		case standin.RoleStudent:
			learners++
		case standin.RoleTeacher:
			teachers++
		case standin.RoleAdmin:
			admins++
		}
	}
	if learners < 2 || teachers < 1 || admins < 1 || inactive < 1 {
		t.Errorf("learners %d, teachers %d, admins %d, inactive %d: the sample needs each", learners, teachers, admins, inactive)
	}
}

func TestLoginRefusesWrongPasswordsAndMalformedBodies(t *testing.T) {
	b := setup(t, standin.Config{})
	const path = "/api/auth/login"
	b.refused(401, "unauthenticated", "POST", path, `{"email":"ben@academy.test","password":"nope"}`)
	b.refused(401, "unauthenticated", "POST", path, `{"email":"nobody@academy.test","password":"ben-learns"}`)
	b.refused(401, "unauthenticated", "POST", path, `{"email":"nobody@academy.test","password":""}`)
	b.refused(401, "unauthenticated", "POST", path, `{}`)
	b.refused(400, "invalid_argument", "POST", path, `{"email":`)
	b.refused(415, "invalid_argument", "POST", path, `{"email":"ben@academy.test","password":"ben-learns"}`, "Content-Type", "text/plain")
	b.refused(413, "invalid_argument", "POST", path, `{"email":"`+strings.Repeat("a", 70<<10)+`"}`)
}

func TestLookupsNeedTheServiceKey(t *testing.T) {
	b := setup(t, standin.Config{})
	token := b.login("ben@academy.test", "ben-learns").Token
	for _, path := range []string{"/api/users/learner-ben", "/api/users/learner-ben/courses", "/api/courses/python-basics-en"} {
		b.refused(401, "unauthenticated", "GET", path, "")
		b.refused(401, "unauthenticated", "GET", path, "", "Authorization", "Basic "+standin.SampleServiceAPIKey)
		b.refused(401, "unauthenticated", "GET", path, "", "Authorization", "Bearer ")
		b.refused(403, "permission_denied", "GET", path, "", "Authorization", "Bearer wrong")
		b.refused(403, "permission_denied", "GET", path, "", "Authorization", "Bearer "+token)
	}
	b.refused(401, "unauthenticated", "POST", "/api/auth/validate", toJSON(t, map[string]string{"token": token}))
	b.refused(403, "permission_denied", "POST", "/api/auth/validate", toJSON(t, map[string]string{"token": token}), "Authorization", "Bearer wrong")
	resp, _ := b.do("GET", "/api/users/learner-ben", "")
	if got := resp.Header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
		t.Errorf("WWW-Authenticate: %q", got)
	}
}

func TestLookupsAnswerUsersCoursesAndMemberships(t *testing.T) {
	b := setup(t, standin.Config{})
	var user map[string]any
	b.answer(200, &user, "GET", "/api/users/learner-iris", "", withKey()...)
	if len(user) != 4 || user["id"] != "learner-iris" || user["email"] != "iris@academy.test" || user["full_name"] != "Iris Holm" || user["is_active"] != false {
		t.Errorf("user: %v", user)
	}
	var course map[string]any
	b.answer(200, &course, "GET", "/api/courses/python-basics-es", "", withKey()...)
	if len(course) != 4 || course["id"] != "python-basics-es" || course["title"] != "Python desde cero" || course["description"] == "" || course["status"] != "published" {
		t.Errorf("course: %v", course)
	}
	var places []map[string]string
	b.answer(200, &places, "GET", "/api/users/teacher-tess/courses", "", withKey()...)
	if len(places) != 2 || places[0]["id"] != "python-basics-en" || places[0]["role"] != "teacher" {
		t.Errorf("memberships: %v", places)
	}
	_, raw := b.do("GET", "/api/users/learner-noah/courses", "", withKey()...)
	if strings.TrimSpace(raw) != "[]" {
		t.Errorf("no memberships must be an empty list, not %s", raw)
	}
}

func TestUnknownThingsAreJSONNotFound(t *testing.T) {
	b := setup(t, standin.Config{})
	for _, path := range []string{"/api/users/nobody", "/api/users/nobody/courses", "/api/courses/nothing", "/api/users/" + strings.Repeat("x", 500), "/api/else"} {
		b.refused(404, "not_found", "GET", path, "", withKey()...)
	}
	b.refused(404, "not_found", "PATCH", "/api/users/learner-ben", "", withKey()...)
}

func TestChangesToPeopleAndCoursesShowAtOnce(t *testing.T) {
	b := setup(t, standin.Config{})
	tokens := b.login("ben@academy.test", "ben-learns")
	ben := standin.SampleUsers()[1]
	ben.Inactive, ben.Email = true, "benjamin@academy.test"
	if err := b.academy.PutUser(ben); err != nil {
		t.Fatal(err)
	}
	b.refused(403, "permission_denied", "POST", "/api/auth/refresh", toJSON(t, map[string]string{"refresh_token": tokens.RefreshToken}))
	b.refused(403, "permission_denied", "POST", "/api/auth/validate", toJSON(t, map[string]string{"token": tokens.Token}), withKey()...)
	b.refused(401, "unauthenticated", "POST", "/api/auth/login", `{"email":"ben@academy.test","password":"ben-learns"}`)

	b.academy.RemoveUser(ben.ID)
	b.refused(404, "not_found", "GET", "/api/users/learner-ben", "", withKey()...)
	b.refused(401, "invalid_token", "POST", "/api/auth/validate", toJSON(t, map[string]string{"token": tokens.Token}), withKey()...)

	b.academy.RemoveCourse("python-basics-es")
	b.refused(404, "not_found", "GET", "/api/courses/python-basics-es", "", withKey()...)
	var places []map[string]string
	b.answer(200, &places, "GET", "/api/users/teacher-tess/courses", "", withKey()...)
	if len(places) != 1 {
		t.Errorf("memberships after the course is gone: %v", places)
	}
	if err := b.academy.PutUser(standin.User{ID: "x", Email: "ANA@academy.test"}); err == nil {
		t.Error("two users of one email were accepted")
	}
	if err := b.academy.PutCourse(standin.Course{ID: strings.Repeat("c", 37)}); err == nil {
		t.Error("a course id of 37 characters was accepted")
	}
}

func TestConfigMistakesAreRefusedWithAdvice(t *testing.T) {
	cases := map[string]standin.Config{
		"at least 32":           {SecretKey: "short"},
		"choose HS256 or RS256": {Algorithm: "none"},
		"must be positive":      {TokenTTL: -time.Second},
		"must be absolute":      {RedirectURIs: []string{"/app"}},
		"ids are unique":        {Users: []standin.User{{ID: "a", Email: "a@x.test"}, {ID: "a", Email: "b@x.test"}}},
		"already belongs":       {Users: []standin.User{{ID: "a", Email: "a@x.test"}, {ID: "b", Email: "A@x.test"}}},
		"1 to 36":               {Courses: []standin.Course{{ID: ""}}},
	}
	for want, config := range cases {
		if _, err := standin.New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New: %v, want an error with %q", err, want)
		}
	}
}

func TestOnlyLoopbackAddressesAreServedUnlessAskedFor(t *testing.T) {
	for _, address := range []string{"127.0.0.1:8001", "localhost:8001", "[::1]:8001", "127.9.9.9:0"} {
		if err := standin.CheckAddress(address, false); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{":8001", "0.0.0.0:8001", "[::]:8001", "192.168.1.4:8001", "localhost.evil.test:8001", "academy:8001"} {
		if err := standin.CheckAddress(address, false); err == nil || !strings.Contains(err.Error(), "--allow-remote") {
			t.Errorf("%s: %v, want a refusal that names the flag", address, err)
		}
		if err := standin.CheckAddress(address, true); err != nil {
			t.Errorf("%s with the flag: %v", address, err)
		}
	}
	if err := standin.CheckAddress("8001", true); err == nil {
		t.Error("an address without host:port was accepted")
	}
}

func TestHealthSaysThatItIsAStandIn(t *testing.T) {
	b := setup(t, standin.Config{})
	var health struct {
		Status  string `json:"status"`
		StandIn bool   `json:"stand_in"`
	}
	b.answer(200, &health, "GET", "/healthz", "")
	if health.Status != "ok" || !health.StandIn {
		t.Errorf("health: %+v", health)
	}
	resp, _ := b.do("GET", "/healthz", "")
	if resp.Header.Get(standin.Header) != "stand-in" {
		t.Errorf("%s: %q", standin.Header, resp.Header.Get(standin.Header))
	}
}
