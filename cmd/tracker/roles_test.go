package main

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// Each replica does its own part and no other's, and says when nobody does one.
func TestAReplicaSaysThatNobodyJudgesUntilAWorkerComes(t *testing.T) {
	db := postgrestest.DB(t)
	as := func(role string) *world {
		cfg := testConfig(t)
		cfg.Server.Roles = []string{role}
		return startReplica(t, db, cfg)
	}
	face := as("api")
	me := face.as("ada", "student")
	ready := func() string { return string(me.must(http.MethodGet, "/readyz", nil).body) }
	if said := ready(); !strings.Contains(said, `"judging":"degraded"`) || !strings.Contains(said, `"status":"ready"`) {
		t.Errorf("alone, it says %s", said)
	}
	task := codeTask(me, "waits for a worker")
	snapshot := submit(me, task, right)
	publisher := as("publisher")
	if r := publisher.as("ada", "student").send(http.MethodGet, "/api/v1/goals", nil); r.status != http.StatusNotFound {
		t.Errorf("a publisher answers a learner with %d", r.status)
	}
	for _, path := range []string{"/ws", "/mcp", "/api/v1/ws", "/tracker.goals.v1.GoalsService/ListGoals"} {
		if r := publisher.as("ada", "student").send(http.MethodGet, path, nil); r.status != http.StatusNotFound {
			t.Errorf("a publisher has %s: %d", path, r.status)
		}
	}
	run := func() response { return me.must(http.MethodGet, "/api/v1/snapshots/"+snapshot, nil) }
	if status := run().field("run_status"); status != "queued" {
		t.Errorf("without a worker the run is %v", status)
	}
	as("worker")
	until(t, 30*time.Second, func() (string, bool) { s := ready(); return s, strings.Contains(s, `"judging":"ok"`) })
	until(t, 30*time.Second, func() (any, bool) { verdict := run().field("verdict"); return verdict, verdict == "passed" })
}

func TestAServerWithAMisspeltRoleDoesNotStartAndSaysWhichThereAre(t *testing.T) {
	for _, names := range []string{"wroker", "api,judge", " "} {
		cmd := exec.CommandContext(t.Context(), filepath.Join(programs, "tracker"), "serve", "--env-file=/dev/null", "--roles", names)
		cmd.Env = []string{"SECRET_KEY=" + testSecret, "DATABASE_URL=postgresql://nobody@127.0.0.1:1/nowhere", "TRACKER_DATA_DIR=" + t.TempDir(), "PATH=/usr/bin:/bin"}
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "server.roles") || !strings.Contains(string(out), "api, worker, publisher") {
			t.Errorf("%q: %v, %s", names, err, out)
		}
	}
}
