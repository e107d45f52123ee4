package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/goals-tracker/tracker/modules/core/rpc"
)

// expectation is what a stranger must get.
type expectation int

const (
	// notFound: another's thing does not exist for a stranger.
	notFound expectation = iota + 1
	// denied: what belongs to a course is refused to those outside.
	denied
	// ownOnly: the answer holds nothing of anybody else.
	ownOnly
	// open: the same for everyone; nothing in it belongs to anybody.
	open
	// streamed: proven by the WebSocket and Watch tests of modules/realtime, and by
	// those of modules/rag/internal/rpc.
	streamed
)

// isolation says for each procedure what a stranger sends and must get. A
// procedure that is not here fails the test.
var isolation = map[string]struct {
	expect  expectation
	request func(o owned) map[string]any
}{
	"goals.v1.GoalsService/CreateGoal":   {ownOnly, func(owned) map[string]any { return map[string]any{"title": "mine"} }},
	"goals.v1.GoalsService/GetGoal":      {notFound, goalID},
	"goals.v1.GoalsService/ListGoals":    {ownOnly, nothing},
	"goals.v1.GoalsService/UpdateGoal":   {notFound, with(goalID, "title", "stolen")},
	"goals.v1.GoalsService/DeleteGoal":   {notFound, goalID},
	"goals.v1.GoalsService/StartGoal":    {notFound, goalID},
	"goals.v1.GoalsService/CompleteGoal": {notFound, goalID},
	"goals.v1.GoalsService/BlockGoal":    {notFound, goalID},
	"goals.v1.GoalsService/CancelGoal":   {notFound, goalID},
	"goals.v1.GoalsService/ReopenGoal":   {notFound, goalID},
	"goals.v1.GoalsService/SetProgress":  {notFound, with(goalID, "progress", 50)},

	"tasks.v1.TasksService/CreateTask":   {notFound, func(o owned) map[string]any { return map[string]any{"goal_id": o.Goal, "title": "planted"} }},
	"tasks.v1.TasksService/GetTask":      {notFound, taskID},
	"tasks.v1.TasksService/ListTasks":    {ownOnly, func(o owned) map[string]any { return map[string]any{"goal_id": o.Goal} }},
	"tasks.v1.TasksService/UpdateTask":   {notFound, with(taskID, "title", "stolen")},
	"tasks.v1.TasksService/DeleteTask":   {notFound, taskID},
	"tasks.v1.TasksService/StartTask":    {notFound, taskID},
	"tasks.v1.TasksService/SkipTask":     {notFound, taskID},
	"tasks.v1.TasksService/CompleteTask": {notFound, taskID},
	"tasks.v1.TasksService/ReopenTask":   {notFound, taskID},

	"validation.v1.ValidationService/SubmitSnapshot": {notFound, func(o owned) map[string]any {
		return map[string]any{"task_id": o.Task, "code": "print(1)"}
	}},
	"validation.v1.ValidationService/ListSnapshots":  {notFound, func(o owned) map[string]any { return map[string]any{"task_id": o.Task} }},
	"validation.v1.ValidationService/GetSnapshot":    {notFound, func(o owned) map[string]any { return map[string]any{"id": o.Snapshot} }},
	"validation.v1.ValidationService/GetRun":         {notFound, func(o owned) map[string]any { return map[string]any{"id": o.Run} }},
	"validation.v1.ValidationService/GetRunReport":   {notFound, func(o owned) map[string]any { return map[string]any{"id": o.Run} }},
	"validation.v1.ValidationService/ListValidators": {open, nothing},
	"validation.v1.ValidationService/GetCoursePolicy": {denied, func(owned) map[string]any {
		return map[string]any{"course_id": course}
	}},
	"validation.v1.ValidationService/UpdateCoursePolicy": {denied, func(owned) map[string]any {
		return map[string]any{"course_id": course, "max_parallel": 1}
	}},
	"validation.v1.ValidationService/RejudgeTask":   {notFound, func(o owned) map[string]any { return map[string]any{"task_id": o.Task} }},
	"validation.v1.ValidationService/RejudgeCourse": {denied, func(owned) map[string]any { return map[string]any{"course_id": course} }},
	"validation.v1.ValidationService/GetRejudging":  {notFound, func(o owned) map[string]any { return map[string]any{"id": o.Rejudging} }},

	"rag.v1.RagService/Search":   {denied, func(owned) map[string]any { return map[string]any{"query": "loops", "course_id": course} }},
	"rag.v1.RagService/GetIndex": {denied, func(owned) map[string]any { return map[string]any{} }},
	"rag.v1.RagService/IngestDocuments": {denied, func(owned) map[string]any {
		return map[string]any{"course_id": course, "files": []map[string]any{{"path": "a.md", "content": "YQ=="}}}
	}},
	"rag.v1.RagService/IngestCourse":      {expect: streamed},
	"rag.v1.RagService/GetConceptGraph":   {denied, func(owned) map[string]any { return map[string]any{"course_id": course} }},
	"rag.v1.RagService/GetMaterialPolicy": {denied, func(owned) map[string]any { return map[string]any{"course_id": course} }},
	"rag.v1.RagService/UpdateMaterialPolicy": {denied, func(owned) map[string]any {
		return map[string]any{"course_id": course, "peer_snapshots": true}
	}},
	"rag.v1.RagService/ListDocuments":  {denied, func(owned) map[string]any { return map[string]any{"course_id": course} }},
	"rag.v1.RagService/GetDocument":    {notFound, func(o owned) map[string]any { return map[string]any{"id": o.Document} }},
	"rag.v1.RagService/DeleteDocument": {notFound, func(o owned) map[string]any { return map[string]any{"id": o.Document} }},

	"agents.v1.AgentsService/PlanGoal":       {notFound, func(o owned) map[string]any { return map[string]any{"goal_id": o.Goal} }},
	"agents.v1.AgentsService/GetAgentRun":    {notFound, func(o owned) map[string]any { return map[string]any{"id": o.AgentRun} }},
	"agents.v1.AgentsService/ListAgentRuns":  {ownOnly, func(o owned) map[string]any { return map[string]any{"goal_id": o.Goal} }},
	"agents.v1.AgentsService/AnswerPlan":     {notFound, with(agentRunID, "answer", "yes")},
	"agents.v1.AgentsService/ApprovePlan":    {notFound, agentRunID},
	"agents.v1.AgentsService/RejectPlan":     {notFound, agentRunID},
	"agents.v1.AgentsService/CancelAgentRun": {notFound, agentRunID},
	"agents.v1.AgentsService/ForkAgentRun":   {notFound, with(agentRunID, "step", 1)},
	"agents.v1.AgentsService/RequestHint":    {notFound, func(o owned) map[string]any { return map[string]any{"task_id": o.Task} }},
	"agents.v1.AgentsService/GetFeedback":    {notFound, func(o owned) map[string]any { return map[string]any{"validation_run_id": o.Run} }},
	"agents.v1.AgentsService/DisputeFeedback": {notFound, func(o owned) map[string]any {
		return map[string]any{"id": o.Feedback, "reason": "not mine"}
	}},

	"agents.v1.DisputeService/DisputeOutput": {notFound, func(o owned) map[string]any {
		return map[string]any{"kind": "hint", "id": o.Hint, "reason": "not mine"}
	}},
	"agents.v1.DisputeService/GetDispute":   {notFound, func(o owned) map[string]any { return map[string]any{"id": o.Dispute} }},
	"agents.v1.DisputeService/ListDisputes": {ownOnly, nothing},
	"agents.v1.DisputeService/SettleDispute": {notFound, func(o owned) map[string]any {
		return map[string]any{"id": o.Dispute, "outcome": "withdrawn", "note": "not mine"}
	}},

	"agents.v1.TutorService/AskTutor":        {notFound, func(o owned) map[string]any { return map[string]any{"task_id": o.Task, "text": "tell me"} }},
	"agents.v1.TutorService/GetConversation": {notFound, func(o owned) map[string]any { return map[string]any{"task_id": o.Task} }},

	"agents.v1.CompanionService/GetEvaluation":       {notFound, func(owned) map[string]any { return map[string]any{"user_id": mark, "course_id": course} }},
	"agents.v1.CompanionService/ListNudges":          {ownOnly, nothing},
	"agents.v1.CompanionService/GetCoachSettings":    {ownOnly, nothing},
	"agents.v1.CompanionService/UpdateCoachSettings": {ownOnly, func(owned) map[string]any { return map[string]any{"enabled": false} }},

	"analytics.v1.AnalyticsService/GetProgress":       {notFound, func(owned) map[string]any { return map[string]any{"user_id": mark, "course_id": course} }},
	"analytics.v1.AnalyticsService/ListActivity":      {notFound, func(owned) map[string]any { return map[string]any{"user_id": mark, "course_id": course} }},
	"analytics.v1.AnalyticsService/GetCourseProgress": {denied, func(owned) map[string]any { return map[string]any{"course_id": course} }},

	"llm.v1.LlmService/ListModels":          {open, nothing},
	"llm.v1.LlmService/GetSpending":         {denied, func(owned) map[string]any { return map[string]any{"course_id": course} }},
	"llm.v1.LlmService/GetModelSettings":    {ownOnly, nothing},
	"llm.v1.LlmService/UpdateModelSettings": {ownOnly, func(owned) map[string]any { return map[string]any{"local_only": true} }},
	"llm.v1.LlmService/GetCourseModelSettings": {denied, func(owned) map[string]any {
		return map[string]any{"course_id": course}
	}},
	"llm.v1.LlmService/UpdateCourseModelSettings": {denied, func(owned) map[string]any {
		return map[string]any{"course_id": course, "local_only": true}
	}},
	"llm.v1.LlmService/SetLearnerBudget": {denied, func(owned) map[string]any {
		return map[string]any{"user_id": mark, "daily_micros": 1}
	}},

	"events.v1.EventsService/ListEvents": {ownOnly, func(o owned) map[string]any { return map[string]any{"goal_id": o.Goal} }},

	"events.v1.WebhooksService/CreateWebhook": {denied, func(owned) map[string]any {
		return map[string]any{"course_id": course, "url": "https://example.org/", "types": []string{"user.erased"}}
	}},
	"events.v1.WebhooksService/ListWebhooks":          {denied, func(owned) map[string]any { return map[string]any{"course_id": course} }},
	"events.v1.WebhooksService/GetWebhook":            {notFound, webhookID},
	"events.v1.WebhooksService/UpdateWebhook":         {notFound, with(webhookID, "enabled", false)},
	"events.v1.WebhooksService/DeleteWebhook":         {notFound, webhookID},
	"events.v1.WebhooksService/RotateWebhookSecret":   {notFound, webhookID},
	"events.v1.WebhooksService/ListWebhookDeliveries": {notFound, webhookID},

	"academy.v1.AcademyService/GetMe":       {ownOnly, nothing},
	"academy.v1.AcademyService/GetCourse":   {open, func(owned) map[string]any { return map[string]any{"id": course} }},
	"academy.v1.AcademyService/ListCourses": {ownOnly, nothing},

	"realtime.v1.RealtimeService/Watch": {expect: streamed},
}

func nothing(owned) map[string]any      { return map[string]any{} }
func goalID(o owned) map[string]any     { return map[string]any{"id": o.Goal} }
func taskID(o owned) map[string]any     { return map[string]any{"id": o.Task} }
func webhookID(o owned) map[string]any  { return map[string]any{"id": o.Webhook} }
func agentRunID(o owned) map[string]any { return map[string]any{"run_id": o.AgentRun} }
func with(base func(owned) map[string]any, name string, value any) func(owned) map[string]any {
	return func(o owned) map[string]any {
		request := base(o)
		request[name] = value
		return request
	}
}

func (e expectation) check(t *testing.T, what string, status int, code string, body []byte) {
	t.Helper()
	ok := false
	switch e {
	case notFound:
		ok = status == http.StatusNotFound && code == "not_found"
	case denied:
		ok = status == http.StatusForbidden && code == "permission_denied" || status == http.StatusNotFound && code == "not_found"
	case ownOnly, open:
		ok = status < 300 || status == http.StatusNotFound && code == "not_found"
	case streamed: // has no single answer
	}
	if !ok {
		t.Errorf("%s: a stranger got %d %s", what, status, body)
	}
	if strings.Contains(string(body), mark) && !strings.Contains(string(body), "learner \\\""+mark) && !strings.Contains(string(body), `learner \"`+mark) {
		t.Errorf("%s: the answer to a stranger holds the owner's data: %s", what, body)
	}
}

func TestNobodyReachesAnothersThingsOnAnyFace(t *testing.T) {
	w := startWorld(t)
	o := populated(w, mark)
	owner := w.as(mark, "student", course)
	before := snapshotOf(owner, o)
	strangers := map[string]caller{
		"learner": w.as("stranger", "student"),
		"teacher": w.as("stranger", "teacher", "another-course"),
	}
	listed := map[string]bool{}
	for procedure, method := range rpc.Methods(rpc.Services()...) {
		name := strings.TrimPrefix(procedure, "/tracker.")
		rule, ok := isolation[name]
		if !ok {
			t.Errorf("%s is not listed: say what a stranger must get", name)
			continue
		}
		listed[name] = true
		if rule.expect == streamed {
			continue
		}
		for who, stranger := range strangers {
			r := stranger.send(http.MethodPost, procedure, connectJSON(rule.request(o)))
			code, _ := r.field("code").(string)
			rule.expect.check(t, "Connect "+name+" by "+who, r.status, code, r.body)
		}
		if r := (caller{t: t, url: w.url}).send(http.MethodPost, procedure, connectJSON(rule.request(o))); r.status != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", name, r.status)
		}
		_ = method
	}
	for name := range isolation {
		if !listed[name] {
			t.Errorf("%s is listed but does not exist", name)
		}
	}
	restCases(t, w, o, strangers)
	commandCases(t, w, o, strangers["learner"])
	if after := snapshotOf(owner, o); after != before {
		t.Errorf("a stranger changed something:\n%s\n%s", before, after)
	}
}

// restCases are made from the table of REST addresses.
func restCases(t *testing.T, w *world, o owned, strangers map[string]caller) {
	t.Helper()
	bindings := rpc.Bindings(rpc.Services()...)
	if len(bindings) < 40 {
		t.Errorf("only %d REST addresses", len(bindings))
	}
	for _, b := range bindings {
		rule := isolation[strings.TrimPrefix(b.Procedure, "/tracker.")]
		if rule.request == nil {
			continue
		}
		request := rule.request(o)
		path := b.Path
		for _, name := range b.Vars {
			value, _ := request[name].(string)
			path = strings.Replace(path, "{"+name+"}", url.PathEscape(value), 1)
			delete(request, name)
		}
		var body any
		if b.Body {
			body = request
		} else if len(request) > 0 {
			query := url.Values{}
			for name, value := range request {
				text, _ := value.(string)
				query.Set(name, text)
			}
			path += "?" + query.Encode()
		}
		for who, stranger := range strangers {
			r := stranger.send(b.Method, path, body)
			code, _ := r.field("code").(string)
			rule.expect.check(t, b.Method+" "+b.Path+" by "+who, r.status, code, r.body)
		}
		if r := (caller{t: t, url: w.url}).send(b.Method, path, body); r.status != http.StatusUnauthorized {
			t.Errorf("%s %s without a token: %d", b.Method, b.Path, r.status)
		}
	}
}

// commandCases are made from the registry of WebSocket commands.
func commandCases(t *testing.T, w *world, o owned, stranger caller) {
	t.Helper()
	commands := rpc.Commands(rpc.Services()...)
	if len(commands) < 14 {
		t.Errorf("only %d commands", len(commands))
	}
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(w.url, "http", "ws", 1)+"/ws?token="+stranger.token, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	for command, procedure := range commands {
		rule := isolation[strings.TrimPrefix(procedure, "/tracker.")]
		data, err := json.Marshal(map[string]any{"type": command, "payload": rule.request(o), "correlation_id": command})
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Write(t.Context(), websocket.MessageText, data); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		for {
			var reply struct {
				Type          string          `json:"type"`
				Payload       json.RawMessage `json:"payload"`
				CorrelationID string          `json:"correlation_id"`
			}
			_, data, err := conn.Read(ctx)
			if err != nil || json.Unmarshal(data, &reply) != nil {
				t.Fatalf("%s: %v", command, err)
			}
			if reply.CorrelationID != command {
				continue
			}
			var refusal struct {
				Code string `json:"code"`
			}
			_ = json.Unmarshal(reply.Payload, &refusal)
			status := http.StatusOK
			if reply.Type == "error" {
				status = map[string]int{"not_found": 404, "permission_denied": 403}[refusal.Code]
			}
			rule.expect.check(t, "command "+command, status, refusal.Code, reply.Payload)
			break
		}
		cancel()
	}
}

// snapshotOf is what the owner sees of what a stranger could have changed.
func snapshotOf(owner caller, o owned) string {
	var all strings.Builder
	for _, path := range []string{"/goals", "/tasks", "/goals/" + o.Goal, "/tasks/" + o.Task, "/tasks/" + o.Task + "/snapshots", "/agent-runs", "/runs/" + o.Run + "/feedback"} {
		all.Write(owner.must(http.MethodGet, "/api/v1"+path, nil).body)
	}
	return all.String()
}

// connectJSON is the request in protojson, which has other names.
func connectJSON(request map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range request {
		parts := strings.Split(name, "_")
		for i := 1; i < len(parts); i++ {
			parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
		}
		out[strings.Join(parts, "")] = value
	}
	return out
}
