package main

import (
	"encoding/base64"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
)

// owned are the ids of what one learner has.
type owned struct {
	Goal, Task, Snapshot, Run, AgentRun, Feedback, Hint, Dispute, Document, Rejudging, Webhook string
}

func (o owned) all() []string {
	return []string{o.Goal, o.Task, o.Snapshot, o.Run, o.AgentRun, o.Feedback, o.Hint, o.Dispute, o.Document, o.Rejudging, o.Webhook}
}

// populate gives a learner one of everything, through the API alone.
func populate(w *world, user string) []string { return populated(w, user).all() }

func populated(w *world, user string) owned {
	t := w.t
	t.Helper()
	var o owned
	teacher := w.as("teacher-tess", "teacher", course)
	teacher.must(http.MethodPost, "/api/v1/courses/"+course+"/documents", map[string]any{"files": courseFiles(t, course)})
	documents := teacher.must(http.MethodGet, "/api/v1/courses/"+course+"/documents?page_size=1", nil)
	o.Document = list(documents, "documents")[0]["id"].(string)

	// Of events that never happen here: nothing is sent.
	o.Webhook = teacher.must(http.MethodPost, "/api/v1/webhooks", map[string]any{
		"course_id": course, "url": "https://example.org/" + user, "types": []string{"user.erased"},
	}).field("webhook").(map[string]any)["id"].(string)

	me := w.as(user, "student", course)
	o.Goal = me.must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Loops " + user, "course_id": course, "description": user, "metadata": map[string]any{"note": user}}).field("id").(string)
	o.AgentRun = me.must(http.MethodPost, "/api/v1/goals/"+o.Goal+"/plan", map[string]any{"wishes": user}).field("id").(string)
	until(t, 4*time.Minute, func() (any, bool) {
		run := me.must(http.MethodGet, "/api/v1/agent-runs/"+o.AgentRun, nil)
		return run.field("status"), run.field("status") == "waiting" && run.field("waiting_for") == "approval"
	})
	o.Task = me.must(http.MethodPost, "/api/v1/tasks", map[string]any{
		"goal_id": o.Goal, "title": "Double " + user, "type": "code", "language": "python",
		"validation": map[string]any{"tests": []map[string]any{{"path": "test_double.py", "content": doubleTest}}},
	}).field("id").(string)
	o.Snapshot = me.must(http.MethodPost, "/api/v1/tasks/"+o.Task+"/snapshots", map[string]any{
		"files": []map[string]any{{"path": "double.py", "content": "# " + user + "\ndef double(n):\n    return n + 2\n"}},
	}).field("id").(string)
	o.Run = until(t, 4*time.Minute, func() (string, bool) {
		snapshot := me.must(http.MethodGet, "/api/v1/snapshots/"+o.Snapshot, nil)
		run, _ := snapshot.field("run_id").(string)
		return run, snapshot.field("run_status") == "done"
	})
	o.Feedback = until(t, 4*time.Minute, func() (string, bool) {
		r := me.send(http.MethodGet, "/api/v1/runs/"+o.Run+"/feedback", nil)
		id, _ := r.field("id").(string)
		return id, r.status == http.StatusOK
	})
	o.Hint = me.must(http.MethodPost, "/api/v1/tasks/"+o.Task+"/hints", map[string]any{"question": user}).field("id").(string)
	o.Dispute = me.must(http.MethodPost, "/api/v1/outputs/feedback/"+o.Feedback+":dispute", map[string]any{"reason": user}).field("id").(string)
	until(t, 4*time.Minute, func() (any, bool) {
		r := me.must(http.MethodGet, "/api/v1/disputes/"+o.Dispute, nil)
		return r.field("status"), r.field("status") != "open"
	})
	teacher.must(http.MethodPatch, "/api/v1/courses/"+course+"/judging", map[string]any{"max_parallel": 3})
	o.Rejudging = teacher.must(http.MethodPost, "/api/v1/tasks/"+o.Task+":rejudge", map[string]any{}).field("id").(string)
	until(t, 4*time.Minute, func() (any, bool) {
		r := teacher.must(http.MethodGet, "/api/v1/rejudgings/"+o.Rejudging, nil)
		return string(r.body), r.field("listed") == true && r.field("total") == 1.0 && r.field("finished") == 1.0
	})
	// The projections trail the log.
	until(t, 4*time.Minute, func() (any, bool) {
		n, _ := me.must(http.MethodGet, "/api/v1/progress", nil).field("hints").(float64)
		return n, n == 1
	})
	return o
}

// furnish gives somebody what strangers must not see, beside what populated made:
// a talk, settings, bounds, and what agents and models write in their own time.
func furnish(w *world, user, task string) {
	t := w.t
	t.Helper()
	me := w.as(user, "student", course)
	talk := me.must(http.MethodPost, "/api/v1/tasks/"+task+"/questions", map[string]any{"text": "Why? " + user}).field("id").(string)
	until(t, 4*time.Minute, func() (any, bool) {
		status := me.must(http.MethodGet, "/api/v1/agent-runs/"+talk, nil).field("status")
		return status, status == "done" || status == "failed"
	})
	for name, request := range map[string]map[string]any{
		"agents.v1.CompanionService/UpdateCoachSettings": {"enabled": false}, "llm.v1.LlmService/UpdateModelSettings": {"local_only": true},
	} {
		if a := me.connect(name, request); a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", name, a.status, a.body)
		}
	}
	admin := w.as("root", "admin")
	if a := admin.connect("llm.v1.LlmService/SetLearnerBudget", map[string]any{"user_id": user, "daily_micros": 1000000}); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var batch pgx.Batch
	batch.Queue(`INSERT INTO agents.evaluations (user_id, course_id, mastery, reasons, trend, evidence, evaluated_at) VALUES ($1, $2, '{}', '[]', 'steady', 1, now())
		ON CONFLICT (user_id, course_id) DO NOTHING`, user, course)
	batch.Queue(`INSERT INTO agents.nudges (id, user_id, kind, text_en, text_es, key, created_at) VALUES (gen_random_uuid(), $1, 'idle', $1, $1, 'k', now())`, user)
	batch.Queue(`INSERT INTO llm.usage (id, user_id, course_id, purpose, provider, model, input_tokens, output_tokens, cost_micros, price_version)
		VALUES (gen_random_uuid(), $1, $2, 'plan', 'p', $1, 1, 1, 1, 'v')`, user, course)
	if err := w.db.Pool().SendBatch(t.Context(), &batch).Close(); err != nil {
		t.Fatal(err)
	}
	for name, request := range map[string]map[string]any{
		"agents.v1.CompanionService/GetEvaluation": {"course_id": course}, "agents.v1.CompanionService/ListNudges": {},
		"agents.v1.TutorService/GetConversation": {"task_id": task}, "llm.v1.LlmService/GetSpending": {},
	} {
		if a := me.connect(name, request); a.status != http.StatusOK || !strings.Contains(string(a.body), user) {
			t.Fatalf("%s shows its owner nothing: %d %s", name, a.status, a.body)
		}
	}
}

const doubleTest = `import unittest
from double import double


class TestDouble(unittest.TestCase):
    def test_two(self):
        self.assertEqual(double(2), 4)

    def test_five(self):
        self.assertEqual(double(5), 10)
`

// courseFiles are a sample course's files as IngestDocuments takes them.
func courseFiles(t *testing.T, id string) []map[string]string {
	t.Helper()
	c, err := courses.Find(id)
	if err != nil {
		t.Fatal(err)
	}
	var files []map[string]string
	err = fs.WalkDir(c.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(c.FS(), path)
		files = append(files, map[string]string{"path": path, "content": base64.StdEncoding.EncodeToString(content)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func list(r response, name string) []map[string]any {
	items, _ := r.field(name).([]any)
	var out []map[string]any
	for _, item := range items {
		if fields, ok := item.(map[string]any); ok {
			out = append(out, fields)
		}
	}
	return out
}
