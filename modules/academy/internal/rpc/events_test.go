package rpc_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/academy/internal/inbox"
	academyrpc "github.com/goals-tracker/tracker/modules/academy/internal/rpc"
	"github.com/goals-tracker/tracker/modules/core/config"
)

// taker remembers what it was given.
type taker struct {
	got  []inbox.Message
	err  error
	errs map[string]error
}

// Take implements academyrpc.Taker.
func (t *taker) Take(_ context.Context, m inbox.Message) (inbox.Outcome, error) {
	t.got = append(t.got, m)
	if err := t.errs[m.ID]; err != nil {
		return "", err
	}
	return inbox.Taken, t.err
}

const event = `{"specversion":"1.0","id":"e1","source":"/academy","type":"user.updated","subject":"u1"}`

func post(t *testing.T, to *taker, key config.Secret, authorization, contentType, body string) (int, string) {
	t.Helper()
	route := academyrpc.Events(to, key)
	mux := http.NewServeMux()
	mux.Handle(route.Pattern, route.Handler)
	r := httptest.NewRequest(http.MethodPost, "/api/v1/academy/events", strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	said, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(said)
}

func TestTheAcademyPostsItsEventsWithTheServiceKey(t *testing.T) {
	const kind = "application/cloudevents+json"
	for name, c := range map[string]struct {
		key                        config.Secret
		authorization, kind, event string
		status, taken              int
	}{
		"its key":               {"k", "Bearer k", kind, event, 204, 1},
		"scheme in small":       {"k", "bearer k", kind, event, 204, 1},
		"two at once":           {"k", "Bearer k", "application/cloudevents-batch+json", "[" + event + "," + event + "]", 204, 2},
		"another key":           {"k", "Bearer x", kind, event, 401, 0},
		"no key":                {"k", "", kind, event, 401, 0},
		"the key as a password": {"k", "Basic k", kind, event, 401, 0},
		"none is set here":      {"", "Bearer ", kind, event, 401, 0},
		"no CloudEvent":         {"k", "Bearer k", kind, "{}", 400, 0},
		"a form":                {"k", "Bearer k", "text/plain", event, 400, 0},
		"too long":              {"k", "Bearer k", kind, strings.Repeat(" ", inbox.MaxMessage) + event, 413, 0},
	} {
		to := &taker{}
		status, said := post(t, to, c.key, c.authorization, c.kind, c.event)
		if status != c.status || len(to.got) != c.taken {
			t.Errorf("%s: got %d %s, %d were taken", name, status, said, len(to.got))
		}
		if strings.Contains(said, "Bearer k") {
			t.Errorf("%s: the answer repeats the key: %s", name, said)
		}
	}
}

func TestAnEventThatCanNotBeTakenNowIsAskedForAgain(t *testing.T) {
	to := &taker{err: errors.New("the database is away")}
	if status, said := post(t, to, "k", "Bearer k", "application/cloudevents+json", event); status != 500 || strings.Contains(said, "database") {
		t.Errorf("got %d %s", status, said)
	}
	to.err = &inbox.MalformedError{Reason: "it says nobody"}
	if status, said := post(t, to, "k", "Bearer k", "application/cloudevents+json", event); status != 400 || !strings.Contains(said, "it says nobody") {
		t.Errorf("got %d %s", status, said)
	}
}

func TestABadEventOfABatchKeepsNoGoodOneOut(t *testing.T) {
	const kind = "application/cloudevents-batch+json"
	other := strings.Replace(event, "e1", "e2", 1)
	for name, bad := range map[string]string{
		"no CloudEvent": `{}`, "an id that is a number": strings.Replace(event, `"e1"`, "1", 1), "no object": `7`,
	} {
		to := &taker{}
		status, said := post(t, to, "k", "Bearer k", kind, "["+event+","+bad+","+other+"]")
		if status != 400 || !strings.Contains(said, "event 2") || len(to.got) != 2 || to.got[1].ID != "e2" {
			t.Errorf("%s: got %d %s, %d were taken", name, status, said, len(to.got))
		}
	}
	// One that is malformed only once it is looked into is no other.
	to := &taker{errs: map[string]error{"e1": &inbox.MalformedError{Reason: "it says nobody"}}}
	if status, said := post(t, to, "k", "Bearer k", kind, "["+event+","+other+"]"); status != 400 || !strings.Contains(said, "event 1: it says nobody") || len(to.got) != 2 {
		t.Errorf("got %d %s, %d were taken", status, said, len(to.got))
	}
	// What may be taken later has to come again, whatever else is wrong.
	to = &taker{errs: map[string]error{"e2": errors.New("the database is away")}}
	if status, said := post(t, to, "k", "Bearer k", kind, "[{},"+other+"]"); status != 500 {
		t.Errorf("got %d %s", status, said)
	}
}
