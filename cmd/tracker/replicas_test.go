package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/golang-jwt/jwt/v5"

	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest/pgbouncer"
)

// replica starts a process with roles on a shared database; a killed one's work
// is found again within seconds.
func replica(t *testing.T, roles string, env ...string) *process {
	t.Helper()
	return startProcess(t, append([]string{
		"TRACKER_SERVER_ROLES=" + roles, "TRACKER_VALIDATION_LEASE=2s", "TRACKER_VALIDATION_SWEEP_EVERY=500ms",
		"TRACKER_AGENTS_LEASE=2s", "TRACKER_AGENTS_SWEEP_EVERY=1s", "TRACKER_SERVER_GRACE=2s",
	}, env...)...)
}

// watch opens a WebSocket and gives a function that waits for an event's type.
func watch(t *testing.T, me caller) func(eventType string) json.RawMessage {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(me.url, "http", "ws", 1)+"/ws?token="+me.token, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return func(eventType string) json.RawMessage {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		for {
			var push struct {
				Type    string          `json:"type"`
				Payload json.RawMessage `json:"payload"`
			}
			_, data, err := conn.Read(ctx)
			if err != nil {
				t.Fatalf("wait for %s: %v", eventType, err)
			}
			if err := json.Unmarshal(data, &push); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			if push.Type == eventType {
				return push.Payload
			}
		}
	}
}

// The whole product behind PgBouncer in transaction mode, on replicas that have
// one role each: what one accepts another judges, also when the first that took
// it is killed, and a third tells the screen.
func TestRolesOnSeveralReplicasBehindAPoolerFinishWhatAKilledOneBegan(t *testing.T) {
	direct, rabbit := postgrestest.URL(t), brokertest.URL(t)
	outside := listenIn(t, rabbit)
	hooked := make(chan string, 100)
	team := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hooked <- r.Header.Get("Webhook-Signature") }))
	t.Cleanup(team.Close)
	pool := []string{
		"RABBITMQ_URL=" + rabbit, "TRACKER_EVENTS_WEBHOOKS_ALLOW=127.0.0.0/8", "TRACKER_EVENTS_WEBHOOKS_ALLOW_HTTP=true",
		"TRACKER_EVENTS_ERASURE_DIR=" + t.TempDir(), // replicas share it, and the keys in it
		"DATABASE_URL=" + pgbouncer.Start(t, direct, 6), "TRACKER_DATABASE_POOLER=transaction",
		"TRACKER_DATABASE_MIGRATE_URL=" + direct, "TRACKER_DATABASE_MAX_CONNS=8", "TRACKER_DATABASE_SYSTEM_CONNS=4",
	}
	face := replica(t, "api", pool...)
	first := replica(t, "worker", pool...)

	me := face.as("ada")
	await := watch(t, me)
	await("hello")
	task := codeTask(me, "behind a pooler")
	await("task.created")
	snapshot := submit(me, task, slow)
	await("validation.started") // by the only worker
	first.kill()
	second := replica(t, "worker,publisher", pool...)
	await("validation.completed")
	if verdict := me.must(http.MethodGet, "/api/v1/snapshots/"+snapshot, nil).field("verdict"); verdict != "passed" {
		t.Errorf("the verdict is %v", verdict)
	}
	if status := me.must(http.MethodGet, "/api/v1/tasks/"+task, nil).field("status"); status != "completed" {
		t.Errorf("the task is %v", status)
	}
	if events := list(me.must(http.MethodGet, "/api/v1/events?type=validation.completed&task_id="+task, nil), "events"); len(events) != 1 {
		t.Errorf("it was judged %d times", len(events))
	}
	until(t, 20*time.Second, func() (any, bool) { // by a subscription, which workers run
		r := me.must(http.MethodGet, "/api/v1/progress", nil)
		return string(r.body), strings.Contains(string(r.body), `"tasks":{"completed":1}`)
	})

	// What leaves the server: by the publisher, and by a webhook that the face sealed
	// the secret of and the worker signs with.
	teacher := caller{t: t, url: me.url, token: signed(t, jwt.MapClaims{"user_id": "tess", "roles": []string{"teacher"}, "course_ids": []string{course}})}
	teacher.must(http.MethodPost, "/api/v1/webhooks", map[string]any{"course_id": course, "url": team.URL})
	teacher.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Of a course", "course_id": course})
	select {
	case signature := <-hooked:
		if !strings.HasPrefix(signature, "v1,") {
			t.Errorf("it is signed %q", signature)
		}
	case <-time.After(40 * time.Second):
		t.Error("nothing came by the webhook")
	}
	db, err := postgres.Open(t.Context(), postgres.Config{URL: direct})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	outside.hearsAll(t, db)

	// Who is no face answers no people, but says how it is.
	if r := second.as("ada").send(http.MethodGet, "/api/v1/goals", nil); r.status != http.StatusNotFound {
		t.Errorf("a worker answers a learner with %d", r.status)
	}
	if r := second.as("ada").send(http.MethodGet, "/readyz", nil); r.status != http.StatusOK || !strings.Contains(string(r.body), `"jobs":"ok"`) {
		t.Errorf("the worker says %d %s", r.status, r.body)
	}
	if r := me.send(http.MethodGet, "/readyz", nil); strings.Contains(string(r.body), "jobs") {
		t.Errorf("a face says %s of jobs, which it does not run", r.body)
	}
}

// An agent's graph goes on where the killed worker left it, and ends once.
func TestAnAgentsRunOutlivesAKilledWorker(t *testing.T) {
	if os.Getenv("TRACKER_TEST_FULL") == "" {
		t.Skip("an agent's graph on a killed replica takes ten seconds and more: set TRACKER_TEST_FULL=1")
	}
	database := "DATABASE_URL=" + postgrestest.URL(t)
	face := replica(t, "api", database)
	ingest := exec.CommandContext(t.Context(), filepath.Join(programs, "tracker"), "rag", "ingest", "--env-file=/dev/null", "--course", course, "../academy/courses/python-basics/en")
	ingest.Env = face.env
	if out, err := ingest.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	first := replica(t, "worker", database)
	me := caller{t: t, url: "http://" + face.address, token: signed(t, jwt.MapClaims{"user_id": "ada", "roles": []string{"student"}, "course_ids": []string{course}})}
	goal := me.must(http.MethodPost, "/api/v1/goals", map[string]any{
		"title": "Python functions and loops", "description": "I know variables. I have four weeks, five hours each.", "course_id": course,
	}).field("id").(string)
	run := me.must(http.MethodPost, "/api/v1/goals/"+goal+"/plan", map[string]any{}).field("id").(string)
	read := func() response { return me.must(http.MethodGet, "/api/v1/agent-runs/"+run, nil) }
	until(t, 30*time.Second, func() (any, bool) { // its exercises are being tried out
		r := read()
		return r.field("node"), r.field("node") == "try"
	})
	first.kill()
	if status := read().field("status"); status != "running" {
		t.Fatalf("the run was %v before its worker was killed", status)
	}
	replica(t, "worker", database)
	until(t, 90*time.Second, func() (any, bool) {
		r := read()
		return string(r.body), r.field("waiting_for") == "approval"
	})
	if generated := list(me.must(http.MethodGet, "/api/v1/events?type=plan.generated&goal_id="+goal, nil), "events"); len(generated) != 1 {
		t.Errorf("the plan came %d times", len(generated))
	}
	seen := map[any]bool{}
	for _, step := range list(read(), "steps") {
		if seen[step["number"]] {
			t.Errorf("step %v was recorded twice", step["number"])
		}
		seen[step["number"]] = true
	}
}

// A replica that is told to stop says so at once and still answers for a while.
func TestAReplicaThatStopsIsNotReadyButStillAnswers(t *testing.T) {
	p := startProcess(t, "DATABASE_URL="+postgrestest.URL(t), "TRACKER_SERVER_DRAIN_DELAY=3s", "TRACKER_SERVER_GRACE=1s", "TRACKER_JOBS_GRACE=1s")
	me := p.as("ada")
	me.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "One"})
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	until(t, 20*time.Second, func() (any, bool) {
		r, err := me.try(http.MethodGet, "/readyz", nil)
		return string(r.body), err == nil && r.status == http.StatusServiceUnavailable && strings.Contains(string(r.body), `"serving":"failing"`)
	})
	if r := me.send(http.MethodGet, "/api/v1/goals", nil); r.status != http.StatusOK {
		t.Errorf("while it drains it answers %d %s", r.status, r.body)
	}
	select {
	case <-p.exited:
	case <-time.After(60 * time.Second):
		t.Error("it did not stop within a minute")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

func TestAPoolerWithoutAWayPastItIsRefusedForMigrations(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Database.URL, cfg.Database.Pooler = "postgresql://nowhere.invalid/db", "transaction"
	_, err := openDatabase(t.Context(), cfg, nil)
	if err == nil || !strings.Contains(err.Error(), "database.migrate_url") {
		t.Errorf("got %v", err)
	}
}
