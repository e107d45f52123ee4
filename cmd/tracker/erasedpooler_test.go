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

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest/pgbouncer"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
)

// Behind PgBouncer in transaction mode nobody can LISTEN, statements of one
// session come from many, and what is pushed passes through a table.
func TestAPersonIsErasedOnTwoReplicasBehindAPooler(t *testing.T) {
	const user = "learner-pooled-5"
	db, err := postgres.Open(t.Context(), postgres.Config{
		URL: pgbouncer.Start(t, postgrestest.URL(t), 6), Pooler: postgres.TransactionPooler, MaxConns: 12, SystemConns: 6,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	cfg := testConfig(t)
	cfg.Events.Erasure.Settle = 50 * time.Millisecond
	var erasure *eventsfx.Erasure
	var log *events.Log
	one, two := startReplica(t, db, cfg, &erasure, &log), startReplica(t, db, cfg)
	for _, w := range []*world{one, two} {
		w.as(user, "student").must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Loops"})
	}
	socket, _, err := websocket.Dial(t.Context(), strings.Replace(two.url, "http", "ws", 1)+"/ws?token="+two.as(user, "student").token, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.CloseNow() }()
	// Both hear of it, at once.
	for i, w := range []*world{one, two} {
		if r := w.tell("user.deleted", fmt.Sprint("pooled-", i), user); r.status >= 300 {
			t.Fatalf("%d %s", r.status, r.body)
		}
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
	receipt, _, err := erasure.Finish(ctx, user)
	if err != nil || !receipt.Complete || receipt.Tables["goals.goals"].Erased != 2 {
		t.Fatalf("%+v, %v", receipt, err)
	}
	for _, table := range personal.Tables {
		if n := countRows(t, db, `SELECT count(*) FROM `+table.Name+` t WHERE strpos(t::text, '`+user+`') > 0`); n > 0 {
			t.Errorf("%s has %d rows of them", table.Name, n)
		}
	}
	if n := countRows(t, db, `SELECT count(*) FROM events.events WHERE type = 'user.erased'`); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	for _, w := range []*world{one, two} {
		if r := w.as(user, "student").send(http.MethodGet, "/api/v1/goals", nil); r.status != http.StatusUnauthorized {
			t.Errorf("they are let in: %d %s", r.status, r.body)
		}
	}
	if report, err := log.Verify(t.Context(), events.VerifyOptions{}); err != nil || !report.OK() {
		t.Errorf("verify: %v, %v", report.Differences, err)
	}
}
