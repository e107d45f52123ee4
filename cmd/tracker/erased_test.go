package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
)

// tell has the academy say something of a person, by HTTP.
func (w *world) tell(kind, id, user string) response {
	w.t.Helper()
	return caller{t: w.t, url: w.url, token: testServiceKey}.send(http.MethodPost, "/api/v1/academy/events", map[string]any{
		"specversion": "1.0", "id": id, "source": "/academy", "type": kind, "subject": user, "time": time.Now().Format(time.RFC3339Nano),
		"datacontenttype": "application/json", "data": map[string]any{"id": user, "user_id": user, "email": "x@y.test", "full_name": "X", "is_active": true},
	}, "Content-Type", "application/cloudevents+json")
}

func TestWhomTheAcademyDeletesIsGoneFromEveryReplicaAndStaysRefused(t *testing.T) {
	db := postgrestest.DB(t)
	cfg := testConfig(t)
	cfg.Events.Erasure.Settle = 50 * time.Millisecond
	var erasure *eventsfx.Erasure
	var log *events.Log
	one := startReplica(t, db, cfg, &erasure, &log)
	two := startReplica(t, db, cfg)
	const user = "learner-deleted-7"
	var mine, others []caller
	for _, w := range []*world{one, two} {
		mine = append(mine, w.as(user, "student", course))
		others = append(others, w.as("learner-other-8", "student", course))
	}
	teacher := one.as("teacher-tess", "teacher", course)
	for _, me := range []caller{mine[0], others[0]} {
		goal := me.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Loops", "course_id": course}).field("id")
		task := me.must(http.MethodPost, "/api/v1/tasks", map[string]any{"goal_id": goal, "title": "Read", "type": "research"}).field("id").(string)
		me.must(http.MethodPost, "/api/v1/tasks/"+task+":start", map[string]any{})
		teacher.must(http.MethodPost, "/api/v1/tasks/"+task+":complete", map[string]any{})
	}
	// On the other replica, somebody looks at a screen.
	socket, _, err := websocket.Dial(t.Context(), strings.Replace(two.url, "http", "ws", 1)+"/ws?token="+mine[1].token, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	for i := range 2 { // twice is once
		if r := one.tell("user.deleted", fmt.Sprint("deleted-", i), user); r.status >= 300 {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	if r := mine[0].send(http.MethodGet, "/api/v1/goals", nil); r.status != http.StatusUnauthorized {
		t.Errorf("right after: %d %s", r.status, r.body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for err == nil {
		_, _, err = socket.Read(ctx)
	}
	var closed websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != 4403 {
		t.Errorf("the screen ended with %v", err)
	}
	until(t, time.Minute, func() (int, bool) {
		r := mine[1].send(http.MethodGet, "/api/v1/goals", nil)
		return r.status, r.status == http.StatusUnauthorized
	})
	receipt, _, err := erasure.Finish(ctx, user)
	if err != nil {
		t.Fatal(err)
	}
	if !receipt.Complete || receipt.Source != "academy" {
		t.Errorf("%+v", receipt)
	}
	// The academy's late word, and its new account of the same id.
	if r := two.tell("user.created", uuid.NewString(), user); r.status >= 500 {
		t.Errorf("a late user.created: %d %s", r.status, r.body)
	}
	for _, me := range []caller{one.as(user, "student", course), two.as(user, "student", course)} {
		if r := me.send(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Back"}); r.status != http.StatusUnauthorized {
			t.Errorf("back again: %d %s", r.status, r.body)
		}
	}
	for _, me := range others {
		r := me.must(http.MethodGet, "/api/v1/goals", nil)
		if goals := list(r, "goals"); len(goals) != 1 || goals[0]["status"] != "completed" {
			t.Errorf("another's goals: %s", r.body)
		}
	}
	if class := teacher.send(http.MethodGet, "/api/v1/courses/"+course+"/progress", nil); strings.Contains(string(class.body), user) {
		t.Errorf("the class still has them: %s", class.body)
	}
	var found int
	if err := db.Pool().QueryRow(t.Context(), `SELECT count(*) FROM events.events WHERE strpos(events::text, $1) > 0`, user).Scan(&found); err != nil || found > 0 {
		t.Errorf("%d events, %v", found, err)
	}
	if report, err := log.Verify(t.Context(), events.VerifyOptions{}); err != nil || !report.OK() {
		t.Errorf("verify: %v, %v", report.Differences, err)
	}
}
