package rpc_test

import (
	"os"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/events/eventstest"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
	"github.com/goals-tracker/tracker/modules/validation/internal/store"
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
	// Broken makes a task whose tests don't parse.
	Broken func(t *testing.T, actor auth.Actor) string
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
	broken := func(t *testing.T, actor auth.Actor) string {
		t.Helper()
		return taskstest.Create(t, db, ts, actor, goal.ID, tasks.New{Last: true, Details: tasks.Details{
			Title: "Broken", Type: tasks.TypeCode, Language: "python",
			Validation: &tasks.Validation{Tests: []tasks.File{tasks.NewFile("test_broken.py", "def test_two(:\n", true)}},
		}})[0].ID
	}
	return bundle{goalstest.Serve(t, kit.RPC()), kit, task, broken}
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

func TestRESTTellsWhenAVerdictIsDueAndLeavesReportsInEveryFormat(t *testing.T) {
	b := setup(t)
	snapshots := "/api/v1/tasks/" + b.task.ID + "/snapshots"
	made := b.Do(ada, "POST", snapshots, `{"code":"def double(n):\n    print('hello from ada')\n    return n\n"}`)
	expect(t, made, 201)
	at := "/api/v1/runs/" + made.Text("run_id")
	expect(t, b.Do(ada, "GET", at+"/report?format=sarif", ""), 409, "run_not_done")
	if err := store.Beat(t.Context(), b.DB.As(auth.System("test")), "a server", 2); err != nil {
		t.Fatal(err)
	}
	expect(t, b.Do(ada, "GET", at, ""), 200, `"queue_position":1`, `"eta_ms":`, `"estimated_start_at":"`, `"reason":"submitted"`)
	b.Drain(t)
	done := b.Do(ada, "GET", at, "")
	expect(t, done, 200, `"verdict":"failed"`, `"limits":{`, `"memory_bytes":`, `"required_integrity":"shared"`, `"task_problem":false`, "hello from ada", `"path":"`)
	if strings.Contains(done.Body, "eta_ms") || strings.Contains(done.Body, "estimated_start_at") {
		t.Errorf("a verdict that is there is still expected: %s", done.Body)
	}
	for format, words := range map[string][]string{
		"sarif": {`"application/sarif+json"`, "sarif-schema-2.1.0", "hello from ada"}, "junit": {`"application/xml"`, "testsuite", "hello from ada"},
		"json": {`"application/json"`, `\"verdict\": \"failed\"`}, "text": {`"text/plain`, "FAIL"},
	} {
		expect(t, b.Do(tess, "GET", at+"/report?format="+format, ""), 200, words...)
	}
	expect(t, b.Do(ada, "GET", at+"/report", ""), 200, `"format":"json"`)
	expect(t, b.Do(ada, "GET", at+"/report?format=text&language=es", ""), 200)
	expect(t, b.Do(ada, "GET", at+"/report?format=pdf", ""), 400)
	expect(t, b.Do(bob, "GET", at+"/report?format=sarif", ""), 404)
}

func TestRESTChangesACoursesPolicyAndJudgesAgain(t *testing.T) {
	b := setup(t)
	const policy = "/api/v1/courses/c1/judging"
	expect(t, b.Do(tess, "GET", policy, ""), 200, `"weight":1`, `"max_parallel":0`, `"required_integrity":"shared"`, `"broken_tasks":[]`)
	expect(t, b.Do(tess, "PATCH", policy, `{"max_parallel":2,"required_integrity":"split"}`), 200, `"max_parallel":2`, `"required_integrity":"split"`, `"updated_by":"tess"`)
	expect(t, b.Do(tess, "PATCH", policy, `{"max_parallel":0}`), 200, `"max_parallel":0`, `"required_integrity":"split"`)
	expect(t, b.Do(tess, "PATCH", policy, `{"weight":3}`), 403)
	expect(t, b.Do(tess, "PATCH", policy, `{"max_parallel":-1}`), 400)
	expect(t, b.Do(ada, "GET", policy, ""), 403)
	expect(t, b.Do(ada, "PATCH", policy, `{"max_parallel":1}`), 403)

	expect(t, b.Do(ada, "POST", "/api/v1/tasks/"+b.task.ID+"/snapshots", `{"code":"def double(n):\n    return n + 2\n"}`), 201)
	b.Drain(t)
	expect(t, b.Do(ada, "POST", "/api/v1/tasks/"+b.task.ID+":rejudge", `{}`), 403)
	expect(t, b.Do(ada, "POST", "/api/v1/courses/c1:rejudge", `{}`), 403)
	for _, path := range []string{"/api/v1/tasks/" + b.task.ID + ":rejudge", "/api/v1/courses/c1:rejudge"} {
		asked := b.Do(tess, "POST", path, `{}`)
		expect(t, asked, 200, `"listed":false`, `"requested_by":"tess"`, `"course_id":"c1"`)
		if err := b.List(t.Context(), asked.Text("id")); err != nil {
			t.Fatal(err)
		}
		b.Drain(t)
		expect(t, b.Do(tess, "GET", "/api/v1/rejudgings/"+asked.Text("id"), ""), 200, `"listed":true`, `"total":1`, `"finished":1`, `"changed":0`, `"skipped":0`)
		expect(t, b.Do(ada, "GET", "/api/v1/rejudgings/"+asked.Text("id"), ""), 404, "rejudging_not_found")
	}
}

func TestRESTTellsTheTeacherWhatIsWrongWithTheTestsAndTheLearnerThatItIsNotThem(t *testing.T) {
	b := setup(t)
	broken := b.Broken(t, ada)
	made := b.Do(ada, "POST", "/api/v1/tasks/"+broken+"/snapshots", `{"code":"x = 1\n"}`)
	expect(t, made, 201)
	b.Drain(t)
	at := "/api/v1/runs/" + made.Text("run_id")
	expect(t, b.Do(ada, "GET", at, ""), 200, `"verdict":"platform_error"`, `"task_problem":true`, `"problem":""`, `"attempt":1`, "your teacher was told")
	expect(t, b.Do(tess, "GET", at, ""), 200, "test_broken.py", "can't be read")
	expect(t, b.Do(tess, "GET", "/api/v1/courses/c1/judging", ""), 200, broken)
}
