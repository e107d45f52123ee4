package rpc_test

import (
	"os"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation/validationtest"
	"github.com/goals-tracker/tracker/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Init()
	code := m.Run()
	validationtest.CleanUp()
	os.Exit(code)
}

var (
	ada  = goalstest.Learner("ada", "c1")
	bob  = goalstest.Learner("bob", "c1")
	tess = goalstest.Teacher("tess", "c1")
)

type bundle struct {
	goalstest.Server
	*validationtest.Kit
	task tasks.Task
}

func setup(t *testing.T) bundle {
	t.Helper()
	db, log := eventstest.New(t)
	g := goalstest.New(db, log)
	ts := taskstest.New(db, log, g)
	kit := validationtest.New(t, db, log, ts, validationtest.Options{Host: validationtest.Python(t)})
	goal := goalstest.Create(t, db, g, ada, "c1", "Learn Python")
	task := taskstest.Create(t, db, ts, ada, goal.ID, tasks.New{Last: true, Details: tasks.Details{
		Title: "Double", Type: tasks.TypeCode, Language: "python",
		Validation: &tasks.Validation{Tests: []tasks.File{tasks.NewFile("test_main.py", "from main import double\n\ndef test_two():\n    assert double(2) == 4\n", true)}},
	}})[0]
	return bundle{goalstest.Serve(t, kit.RPC()), kit, task}
}

func expect(t *testing.T, got goalstest.Reply, status int, fields ...string) {
	t.Helper()
	if got.Status != status {
		t.Errorf("status %d, want %d: %s", got.Status, status, got.Body)
	}
	for _, field := range fields {
		if !strings.Contains(got.Body, field) {
			t.Errorf("the answer lacks %s: %s", field, got.Body)
		}
	}
}

func TestRESTSubmitsAndReadsSnapshotsAndRuns(t *testing.T) {
	b := setup(t)
	snapshots := "/api/v1/tasks/" + b.task.ID + "/snapshots"
	made := b.Do(ada, "POST", snapshots, `{"code":"def double(n):\n    return n + 2\n"}`)
	expect(t, made, 201, `"number":1`, `"language":"python"`, `"run_status":"queued"`)
	expect(t, b.Do(ada, "GET", "/api/v1/runs/"+made.Text("run_id"), ""), 200, `"status":"queued"`, `"queue_position":1`, `"course_id":"c1"`)
	b.Drain(t)
	run := b.Do(tess, "GET", "/api/v1/runs/"+made.Text("run_id"), "")
	expect(t, run, 200, `"status":"done"`, `"verdict":"passed"`, `"status":"pass"`, `"score":1`, `"integrity":`, `"attempt":1`, `"queue_position":0`, `"python":`)
	if timings, _ := run.JSON["timings"].(map[string]any); timings["run_ms"] == nil || timings["queue_ms"] == nil {
		t.Errorf("timings: %v", run.JSON["timings"])
	}
	expect(t, b.Do(tess, "GET", "/api/v1/snapshots/"+made.Text("id"), ""), 200, `"path":"main.py"`, `return n + 2`)
	expect(t, b.Do(ada, "GET", snapshots, ""), 200, `"snapshots":[`, `"next_page_token":""`, `"verdict":"passed"`)
	expect(t, b.Do(ada, "GET", "/api/v1/validators", ""), 200, `"validator-python"`, `"ready"`)
	for _, path := range []string{snapshots, "/api/v1/snapshots/" + made.Text("id"), "/api/v1/runs/" + made.Text("run_id")} {
		expect(t, b.Do(bob, "GET", path, ""), 404)
	}
	expect(t, b.Do(ada, "POST", snapshots, `{"code":"x"}`), 409, "task_done")
}

func TestARepeatedSubmissionMakesOneSnapshot(t *testing.T) {
	b := setup(t)
	at := "/api/v1/tasks/" + b.task.ID + "/snapshots"
	body := `{"files":[{"path":"main.py","content":"x = 1\n"}]}`
	first := b.Do(ada, "POST", at, body, "Idempotency-Key: k")
	expect(t, first, 201)
	expect(t, b.Do(ada, "POST", at, body, "Idempotency-Key: k"), 201, first.Text("id"), `"number":1`)
	expect(t, b.Do(ada, "POST", at, `{"code":"y"}`, "Idempotency-Key: k"), 400, "idempotency_key_reused")
	expect(t, b.Do(ada, "POST", at, body, "Idempotency-Key: l"), 201, `"number":2`)
}

func TestWhatCanNotBeTakenIsRefusedWithTheFileAtFault(t *testing.T) {
	b := setup(t)
	at := "/api/v1/tasks/" + b.task.ID + "/snapshots"
	expect(t, b.Do(ada, "POST", at, `{"files":[{"path":"ok.py","content":""},{"path":"../x.py","content":""}]}`), 400, "file_name", "../x.py", "files[1].path")
	expect(t, b.Do(ada, "POST", at, `{"files":[{"path":"a.py","content":"\u0000"}]}`), 400)
	expect(t, b.Do(ada, "POST", at, `{"code":"x","language":"cobol"}`), 409, "no_validator", "python")
	expect(t, b.Do(ada, "POST", at, `{}`), 400, "snapshot_empty")
	expect(t, b.Do(bob, "POST", at, `{"code":"x"}`), 404, "task_not_found")
	expect(t, b.Do(tess, "POST", at, `{"code":"x"}`), 403)
	expect(t, b.Do(ada, "GET", at, ""), 200, `"snapshots":[]`)
}
