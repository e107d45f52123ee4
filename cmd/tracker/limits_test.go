package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/rpc"
)

func TestEveryDearProcedureExistsAndHasALimit(t *testing.T) {
	methods := rpc.Methods(rpc.Services()...)
	for procedure, limit := range dear {
		if methods[procedure] == nil {
			t.Errorf("there is no procedure %s", procedure)
		}
		if !slices.Contains([]string{limits.Submissions, limits.Searches, limits.Agents}, limit) {
			t.Errorf("%s has the limit %q", procedure, limit)
		}
	}
}

func TestLimitsThatCanHoldNobodyAreRefusedAtTheStart(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits = limits.DefaultConfig()
	cfg.Limits.Burst, cfg.Limits.SearchRate = 0, -1
	err := cfg.CheckServer()
	if err == nil || !strings.Contains(err.Error(), "limits.burst is 0") || !strings.Contains(err.Error(), "limits.search_rate is -1") {
		t.Errorf("got %v", err)
	}
}

// patient are settings under which nothing comes back while a test runs.
func patient(t *testing.T) Config {
	t.Helper()
	cfg := testConfig(t)
	cfg.Limits = limits.DefaultConfig()
	cfg.Limits.Rate, cfg.Limits.Burst = 0.001, 12
	cfg.Limits.Timeout = 20 * time.Second // a busy machine may take longer than a server should wait
	cfg.Limits.SubmissionRate, cfg.Limits.SubmissionBurst = 0.001, 2
	return cfg
}

// passed counts how many of n calls are let through, and looks at the others.
func passed(t *testing.T, me caller, n int) (ok int) {
	t.Helper()
	for range n {
		r := me.send(http.MethodGet, "/api/v1/goals", nil, "Accept-Language", "es")
		switch {
		case r.status == http.StatusOK:
			ok++
		case r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" || r.field("reason") != "rate_limited" ||
			!strings.Contains(string(r.body), "demasiadas peticiones"):
			t.Fatalf("%d %v %s", r.status, r.header, r.body)
		}
	}
	return ok
}

// shareOneLimit has one person call two replicas by turns.
func shareOneLimit(t *testing.T, one, two *world) {
	t.Helper()
	ok := 0
	for range 5 {
		ok += passed(t, one.as("ada", "student"), 3) + passed(t, two.as("ada", "student"), 3)
	}
	if ok != 12 {
		t.Errorf("of 30 calls %d were let through, want the burst once, 12", ok)
	}
	if ok := passed(t, two.as("eve", "student"), 5); ok != 5 {
		t.Errorf("of another person's 5 calls %d were let through", ok)
	}
	for _, w := range []*world{one, two} {
		nobody := caller{t: t, url: w.url}
		if r := nobody.must(http.MethodGet, "/metrics", nil); !strings.Contains(string(r.body), `tracker_limits_refused_total{limit="requests"}`) {
			t.Error("no metric counts who was refused")
		}
		nobody.must(http.MethodGet, "/readyz", nil)
	}
}

func TestTwoReplicasOnPostgreSQLGiveAPersonTheLimitOnce(t *testing.T) {
	db, cfg := postgrestest.DB(t), patient(t)
	one, two := startReplica(t, db, cfg), startReplica(t, db, cfg)
	shareOneLimit(t, one, two)

	// A command of a socket is a call like any other, and so is one that is dear.
	eve := one.as("eve", "student")
	task := codeTask(eve, "often")
	for i := range 3 {
		r := eve.send(http.MethodPost, "/api/v1/tasks/"+task+"/snapshots", map[string]any{"code": "print(1)"})
		if want := map[bool]int{true: http.StatusCreated, false: http.StatusTooManyRequests}[i < 2]; r.status != want {
			t.Errorf("submission %d: %d %s", i+1, r.status, r.body)
		}
	}
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(two.url, "http", "ws", 1)+"/ws?token="+two.as("eve", "student").token, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	passed(t, two.as("eve", "student"), 12)
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"type":"goal.create","payload":{"title":"one more"},"correlation_id":"c"}`)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	for {
		_, data, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var m struct {
			Type    string         `json:"type"`
			Payload map[string]any `json:"payload"`
		}
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		if m.Type == "goal.create.ok" {
			t.Fatal("the command was done")
		}
		if m.Type == "error" {
			if m.Payload["reason"] != "rate_limited" || m.Payload["retry_after_ms"] == nil {
				t.Errorf("got %s", data)
			}
			return
		}
	}
}

func TestTwoReplicasWithRedisGiveAPersonTheLimitOnceUntilItDies(t *testing.T) {
	server := cachetest.Own(t)
	db, cfg := postgrestest.DB(t), patient(t)
	cfg.Redis.URL, cfg.Redis.Timeout = config.Secret(server.URL()), 20*time.Second
	one, two := startReplica(t, db, cfg), startReplica(t, db, cfg)
	shareOneLimit(t, one, two)
	rows := 0
	if err := db.Pool().QueryRow(t.Context(), `SELECT count(*) FROM core.limits`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("beside Redis %d buckets stand in the database, %v", rows, err)
	}
	server.Kill()
	for name, w := range map[string]*world{"one": one, "two": two} {
		// What was refused last may still be remembered; then each counts by itself.
		ok := 0
		until(t, 30*time.Second, func() (int, bool) { ok += passed(t, w.as("joe", "student"), 3); return ok, ok > 0 })
		if ok += passed(t, w.as("joe", "student"), 30); ok != 12 {
			t.Errorf("while Redis is dead %s lets %d calls through, want 12 of its own", name, ok)
		}
	}
}
