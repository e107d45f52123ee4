package standin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/cmd/academy/standin"
)

// receiver takes events, but refuses each a few times first.
type receiver struct {
	mu      sync.Mutex
	refuse  int
	refused map[string]int
	got     []standin.Event
}

// Publish implements standin.Publisher.
func (r *receiver) Publish(_ context.Context, e standin.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused == nil {
		r.refused = map[string]int{}
	}
	if r.refused[e.ID]++; r.refused[e.ID] <= r.refuse {
		return errors.New("not now")
	}
	r.got = append(r.got, e)
	return nil
}

func (r *receiver) types() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var types []string
	for _, e := range r.got {
		types = append(types, e.Type+" "+e.Subject)
	}
	return types
}

// running runs the academy's events for as long as the test.
func (b *bundle) running() {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { b.academy.Run(ctx) })
	b.t.Cleanup(func() { cancel(); done.Wait() })
}

func TestWhatHappensIsToldInOrderUntilItIsTaken(t *testing.T) {
	to := &receiver{refuse: 1}
	b := setup(t, standin.Config{Events: to})
	b.running()
	var user map[string]any
	b.answer(200, &user, "PUT", "/api/users/u-1", `{"email":"zoe@academy.test","full_name":"Zoe","password":"zoe-learns","roles":["student"],"courses":[{"id":"python-basics-en","role":"student"}]}`, withKey()...)
	if user["full_name"] != "Zoe" || user["is_active"] != true {
		t.Errorf("got %v", user)
	}
	tokens := b.login("zoe@academy.test", "zoe-learns")
	b.answer(200, &user, "PUT", "/api/users/u-1", `{"email":"zoe@academy.test","full_name":"Zoë","is_active":false}`, withKey()...)
	b.answer(200, &user, "PUT", "/api/courses/python-basics-en", `{"title":"Renamed","description":"","status":"archived"}`, withKey()...)
	for _, path := range []string{"/api/users/u-1", "/api/courses/python-basics-en"} {
		if resp, raw := b.do("DELETE", path, "", withKey()...); resp.StatusCode != http.StatusNoContent {
			t.Errorf("DELETE %s: %d %s", path, resp.StatusCode, raw)
		}
		b.refused(404, "not_found", "DELETE", path, "", withKey()...)
		b.refused(404, "not_found", "GET", path, "", withKey()...)
	}
	b.refused(401, "unauthenticated", "POST", "/api/auth/refresh", toJSON(t, map[string]string{"refresh_token": tokens.RefreshToken}))
	b.refused(401, "invalid_token", "POST", "/api/auth/validate", toJSON(t, map[string]string{"token": tokens.Token}), withKey()...)
	want := []string{"user.created u-1", "user.updated u-1", "course.updated python-basics-en", "user.deleted u-1", "course.deleted python-basics-en"}
	for deadline := time.Now().Add(20 * time.Second); len(to.types()) < len(want) && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	if got := to.types(); !slices.Equal(got, want) {
		t.Fatalf("told %v", got)
	}
	var data struct {
		FullName string `json:"full_name"`
		IsActive bool   `json:"is_active"`
		Version  int    `json:"version"`
	}
	second := to.got[1]
	if err := json.Unmarshal(second.Data, &data); err != nil || data.FullName != "Zoë" || data.IsActive || data.Version <= versionOf(t, to.got[0]) || second.SpecVersion != "1.0" || second.Time.IsZero() {
		t.Errorf("told %+v %s, %v", second, second.Data, err)
	}
}

func versionOf(t *testing.T, e standin.Event) int {
	t.Helper()
	var data struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(e.Data, &data); err != nil {
		t.Fatal(err)
	}
	return data.Version
}

func TestWhatIsToldAfterARestartIsNewerThanWhatWasToldBefore(t *testing.T) {
	last := 0
	for run := range 2 {
		to := &receiver{}
		b := setup(t, standin.Config{Events: to, Now: time.Now})
		b.running()
		updates := 5 - 4*run
		for range updates {
			if err := b.academy.PutCourse(standin.Course{ID: "python-basics-en", Title: "Again", Status: "published"}); err != nil {
				t.Fatal(err)
			}
		}
		for deadline := time.Now().Add(time.Minute); len(to.types()) < updates; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("told %v", to.types())
			}
		}
		for _, e := range to.got {
			if v := versionOf(t, e); v <= last {
				t.Errorf("run %d: version %d comes after %d, so others take it for an old one", run, v, last)
			} else {
				last = v
			}
		}
	}
}

func TestManagingNeedsTheServiceKey(t *testing.T) {
	b := setup(t, standin.Config{})
	for _, c := range [][2]string{{"PUT", "/api/users/x"}, {"DELETE", "/api/users/learner-ben"}, {"PUT", "/api/courses/x"}, {"DELETE", "/api/courses/python-basics-en"}, {"POST", "/api/keys/rotate"}} {
		b.refused(401, "unauthenticated", c[0], c[1], "{}")
		b.refused(403, "permission_denied", c[0], c[1], "{}", "Authorization", "Bearer wrong")
	}
	b.refused(400, "invalid_argument", "PUT", "/api/users/x", `{"email":"ben@academy.test"}`, withKey()...)
	b.refused(409, "failed_precondition", "POST", "/api/keys/rotate", "", withKey()...)
}

func TestARotatedKeyStaysPublishedAsLongAsItsTokensHold(t *testing.T) {
	b := setup(t, standin.Config{Algorithm: standin.RS256, TokenTTL: time.Hour, Audience: "tracker"})
	ids := func() []string {
		var set struct{ Keys []struct{ Kid string } }
		b.answer(200, &set, "GET", "/.well-known/jwks.json", "")
		var list []string
		for _, k := range set.Keys {
			list = append(list, k.Kid)
		}
		return list
	}
	before := ids()
	old := b.login("ben@academy.test", "ben-learns").Token
	if resp, raw := b.do("POST", "/api/keys/rotate", "", withKey()...); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("rotate: %d %s", resp.StatusCode, raw)
	}
	after := ids()
	if len(before) != 1 || len(after) != 2 || after[1] != before[0] || after[0] == before[0] {
		t.Fatalf("keys %v, then %v", before, after)
	}
	fresh := b.login("ben@academy.test", "ben-learns").Token
	parsed, _, err := jwt.NewParser().ParseUnverified(fresh, jwt.MapClaims{})
	if err != nil || parsed.Header["kid"] != after[0] {
		t.Errorf("signed with %v, %v", parsed.Header["kid"], err)
	}
	if aud, err := parsed.Claims.GetAudience(); err != nil || !slices.Equal(aud, []string{"tracker"}) {
		t.Errorf("aud %v, %v", aud, err)
	}
	b.validate(old)
	b.validate(fresh)
	b.clock.advance(2 * time.Hour)
	if got := ids(); len(got) != 1 || got[0] != after[0] {
		t.Errorf("keys %v", got)
	}
}

func TestAnIssuerThatIsAnAddressCanBeDiscovered(t *testing.T) {
	b := setup(t, standin.Config{})
	b.refused(404, "not_found", "GET", "/.well-known/openid-configuration", "")
	b = setup(t, standin.Config{Issuer: "http://127.0.0.1:8001", Algorithm: standin.RS256})
	var document map[string]any
	b.answer(200, &document, "GET", "/.well-known/openid-configuration", "")
	if document["issuer"] != "http://127.0.0.1:8001" || document["jwks_uri"] != "http://127.0.0.1:8001/.well-known/jwks.json" {
		t.Errorf("got %v", document)
	}
}

func TestEventsArePostedAsCloudEventsWithTheServiceKey(t *testing.T) {
	var got []*http.Request
	status := http.StatusNoContent
	tracker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r)
		w.WriteHeader(status)
	}))
	defer tracker.Close()
	post := standin.Post{URL: tracker.URL + "/api/v1/academy/events", Key: "key"}
	if err := post.Publish(t.Context(), standin.Event{ID: "1", Type: standin.UserDeleted, Data: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if r := got[0]; r.Header.Get("Authorization") != "Bearer key" || r.Header.Get("Content-Type") != "application/cloudevents+json" {
		t.Errorf("posted %v", r.Header)
	}
	status = http.StatusServiceUnavailable
	if err := post.Publish(t.Context(), standin.Event{ID: "1", Data: []byte("{}")}); err == nil {
		t.Error("a refusal was taken for an acceptance")
	}
}
