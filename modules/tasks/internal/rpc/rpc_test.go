package rpc_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
	"github.com/goals-tracker/tracker/modules/tasks/taskstest"
)

var (
	ada  = goalstest.Learner("ada", "c1")
	bob  = goalstest.Learner("bob")
	tess = goalstest.Teacher("tess", "c1")
)

func setup(t *testing.T) (server goalstest.Server, goalID string) {
	t.Helper()
	db := postgrestest.DB(t)
	log := events.New(db, events.Config{}, slog.New(slog.DiscardHandler))
	g := goalstest.New(db, log)
	s := taskstest.New(db, log, g)
	server = goalstest.Serve(t, goalstest.RPC(db, g), taskstest.RPC(db, s))
	return server, server.Do(ada, "POST", "/api/v1/goals", `{"title":"Learn","course_id":"c1"}`).Text("id")
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

func TestATasksLifeOverREST(t *testing.T) {
	s, goalID := setup(t)
	made := s.Do(ada, "POST", "/api/v1/tasks", fmt.Sprintf(`{"goal_id":%q,"title":"Write","language":"python","estimated_hours":1.5,"concepts":["loops"],
		"validation":{"tests":[{"path":"t.py","content":"secret","hidden":true}],"limits":{"wall_ms":5000},"options":{"runner":"pytest"}},
		"citations":[{"path":"a.md","start_line":1,"end_line":2,"quote":"q"}],"metadata":{"k":"v"}}`, goalID))
	expect(t, made, 201, `"type":"code"`, `"status":"todo"`, `"position":0`, `"course_id":"c1"`, `"options":{"runner":"pytest"}`, `"quote":"q"`, `"version":1`)
	at := "/api/v1/tasks/" + made.Text("id")
	expect(t, s.Do(tess, "GET", at, ""), 200, "secret")
	for _, r := range []goalstest.Reply{made, s.Do(ada, "GET", at, ""), s.Do(ada, "GET", "/api/v1/tasks", "")} {
		if expect(t, r, r.Status, `"path":"t.py"`, `"hidden":true`); strings.Contains(r.Body, "secret") {
			t.Errorf("a learner reads the hidden test: %s", r.Body)
		}
	}
	second := s.Do(ada, "POST", "/api/v1/tasks", fmt.Sprintf(`{"goal_id":%q,"title":"Read","type":"research","depends_on":[%q]}`, goalID, made.Text("id")))
	expect(t, second, 201, `"position":1`)
	read := "/api/v1/tasks/" + second.Text("id")
	expect(t, s.Do(ada, "POST", read+":start", "", "Accept-Language: es"), 409, "task_dependencies", "Termina primero")
	expect(t, s.Do(ada, "PATCH", at, fmt.Sprintf(`{"depends_on":[%q]}`, second.Text("id"))), 400, "task_cycle")
	expect(t, s.Do(ada, "POST", at+":start", `{"version":1}`), 200, `"status":"in_progress"`, `"version":2`)
	expect(t, s.Do(ada, "GET", "/api/v1/goals/"+goalID, ""), 200, `"status":"in_progress"`)
	expect(t, s.Do(ada, "POST", at+":complete", ""), 409, "task_needs_verdict")
	expect(t, s.Do(bob, "POST", at+":complete", ""), 404, "task_not_found")
	expect(t, s.Do(tess, "POST", at+":complete", ""), 200, `"completed_by":"teacher"`)
	expect(t, s.Do(ada, "GET", "/api/v1/goals/"+goalID, ""), 200, `"progress":50`)
	expect(t, s.Do(ada, "POST", read+":complete", `{"actual_hours":2}`), 200, `"completed_by":"self"`, `"actual_hours":2`)
	expect(t, s.Do(ada, "GET", "/api/v1/goals/"+goalID, ""), 200, `"progress":100`, `"status":"completed"`)
	expect(t, s.Do(ada, "POST", read+":reopen", ""), 200, `"status":"in_progress"`)
	expect(t, s.Do(ada, "POST", read+":skip", ""), 200, `"status":"skipped"`)
	expect(t, s.Do(ada, "GET", "/api/v1/tasks?goal_id="+goalID+"&status=skipped&type=research", ""), 200, second.Text("id"))
	for range 2 {
		expect(t, s.Do(ada, "DELETE", read, "", "Idempotency-Key: d"), 204)
	}
	expect(t, s.Do(ada, "DELETE", "/api/v1/goals/"+goalID, ""), 204)
	expect(t, s.Do(ada, "GET", at, ""), 404)
	expect(t, s.Do(ada, "POST", "/api/v1/tasks", fmt.Sprintf(`{"goal_id":%q,"title":"late"}`, goalID)), 404, "goal_not_found")
}

func TestAMaskNamesWhatChangesAndWhatIsCleared(t *testing.T) {
	s, goalID := setup(t)
	made := s.Do(ada, "POST", "/api/v1/tasks", fmt.Sprintf(`{"goal_id":%q,"title":"Write","description":"d","type":"testing","position":4,"language":"go",
		"estimated_hours":1,"concepts":["c"],"metadata":{"a":1},"validation":{"tests":[{"path":"t.go","content":"x"}]}}`, goalID))
	at := "/api/v1/tasks/" + made.Text("id")
	expect(t, s.Do(ada, "PATCH", at, `{"title":"new","description":"ignored","update_mask":["title"]}`), 200, `"title":"new"`, `"description":"d"`)
	cleared := s.Do(ada, "PATCH", at, `{"update_mask":"description,type,position,language,estimated_hours,actual_hours,concepts,depends_on,metadata,validation"}`)
	expect(t, cleared, 200, `"description":""`, `"type":"code"`, `"position":0`, `"concepts":[]`, `"metadata":{}`, `"version":3`)
	for _, name := range []string{"language", "estimated_hours", "validation"} {
		if _, there := cleared.JSON[name]; there {
			t.Errorf("%s was not cleared: %s", name, cleared.Body)
		}
	}
	expect(t, s.Do(ada, "PATCH", at, `{"concepts":[],"estimated_hours":null,"title":"same"}`), 200, `"title":"same"`)
	for _, path := range []string{"status", "citations", "completed_by", "nonsense"} {
		expect(t, s.Do(ada, "PATCH", at, fmt.Sprintf(`{"update_mask":%q}`, path)), 400, "update_mask")
	}
	expect(t, s.Do(ada, "PATCH", at, `{"validation":{"tests":[{"path":"../x","content":""}]}}`), 400, "validation.tests[0].path")
}

func TestARepeatedCreateMakesOneTask(t *testing.T) {
	s, goalID := setup(t)
	body := fmt.Sprintf(`{"goal_id":%q,"title":"once"}`, goalID)
	first, second := s.Do(ada, "POST", "/api/v1/tasks", body, "Idempotency-Key: k"), s.Do(ada, "POST", "/api/v1/tasks", body, "Idempotency-Key: k")
	expect(t, first, 201)
	expect(t, second, 201, first.Text("id"))
	if list, _ := s.Do(ada, "GET", "/api/v1/tasks", "").JSON["tasks"].([]any); len(list) != 1 {
		t.Errorf("%d tasks are there", len(list))
	}
}
