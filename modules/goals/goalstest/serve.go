package goalstest

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
)

const secret = "a secret that only these tests know, long enough"

// Server serves modules as the product does, over real HTTP.
type Server struct {
	t testing.TB
	// URL is http://127.0.0.1:….
	URL string
}

// Serve serves Connect services until the test ends.
func Serve(t testing.TB, services ...corerpc.Service) Server {
	t.Helper()
	verifier, err := auth.NewHS256(secret)
	if err != nil {
		t.Fatal(err)
	}
	server, err := corerpc.NewServer(corerpc.Config{Logger: slog.New(slog.DiscardHandler)}, corerpc.Deps{Verifier: verifier, Services: services})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(nil)
	h.Config = server.HTTP("")
	h.Start()
	t.Cleanup(h.Close)
	return Server{t: t, URL: h.URL}
}

// Token signs an actor in.
func Token(t testing.TB, actor auth.Actor) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"user_id": actor.UserID, "roles": actor.Roles, "course_ids": actor.CourseIDs, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// Reply is an answer that was read.
type Reply struct {
	Status int
	Header http.Header
	// Body is the text, JSON what it says when it is an object.
	Body string
	JSON map[string]any
}

// Text is a string field of the answer.
func (r Reply) Text(name string) string { s, _ := r.JSON[name].(string); return s }

// Do sends a request as an actor; headers are "Name: value".
func (s Server) Do(actor auth.Actor, method, path, body string, headers ...string) Reply {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+Token(s.t, actor))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Error(err)
		return Reply{}
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	r := Reply{Status: resp.StatusCode, Header: resp.Header, Body: string(text)}
	_ = json.Unmarshal(text, &r.JSON) // not every answer is an object
	return r
}
