package main

import "strings"

// expectation is what a stranger must get.
type expectation int

const (
	// notFound: another's thing does not exist for a stranger.
	notFound expectation = iota + 1
	// denied: what belongs to a course is refused to those outside.
	denied
	// ownOnly: the answer holds nothing of anybody else.
	ownOnly
	// refused: the request is wrong, as with an id that does not exist.
	refused
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

// forMembers is what the course's other learners get instead, of its material.
var forMembers = map[string]expectation{
	"rag.v1.RagService/Search": ownOnly, "rag.v1.RagService/GetConceptGraph": ownOnly, "rag.v1.RagService/GetMaterialPolicy": ownOnly,
	"rag.v1.RagService/ListDocuments": ownOnly, "rag.v1.RagService/GetDocument": ownOnly, "rag.v1.RagService/DeleteDocument": denied,
}

// learnersAlone are procedures that refuse a teacher of the learner's own course,
// who sees the learner's things.
var learnersAlone = []string{
	"goals.v1.GoalsService/UpdateGoal", "goals.v1.GoalsService/DeleteGoal", "goals.v1.GoalsService/StartGoal",
	"goals.v1.GoalsService/CompleteGoal", "goals.v1.GoalsService/BlockGoal", "goals.v1.GoalsService/CancelGoal",
	"goals.v1.GoalsService/ReopenGoal", "goals.v1.GoalsService/SetProgress",
	"tasks.v1.TasksService/CreateTask", "tasks.v1.TasksService/UpdateTask", "tasks.v1.TasksService/DeleteTask",
	"tasks.v1.TasksService/StartTask", "tasks.v1.TasksService/SkipTask", "tasks.v1.TasksService/ReopenTask",
	"validation.v1.ValidationService/SubmitSnapshot",
	"agents.v1.AgentsService/PlanGoal", "agents.v1.AgentsService/RequestHint", "agents.v1.TutorService/AskTutor",
	"agents.v1.DisputeService/DisputeOutput", "llm.v1.LlmService/SetLearnerBudget",
}

// asides are further requests with which a stranger asks for the owner's things:
// by filters, and by ids inside of what is the stranger's own.
var asides = []struct {
	procedure string
	expect    expectation
	request   func(o owned, goal string) map[string]any
}{
	{"goals.v1.GoalsService/ListGoals", ownOnly, func(owned, string) map[string]any { return map[string]any{"user_id": mark} }},
	{"goals.v1.GoalsService/ListGoals", ownOnly, func(owned, string) map[string]any { return map[string]any{"course_id": course} }},
	{"tasks.v1.TasksService/ListTasks", ownOnly, func(owned, string) map[string]any { return map[string]any{"user_id": mark} }},
	{"tasks.v1.TasksService/ListTasks", ownOnly, func(owned, string) map[string]any { return map[string]any{"course_id": course} }},
	{"agents.v1.AgentsService/ListAgentRuns", ownOnly, func(owned, string) map[string]any { return map[string]any{"course_id": course} }},
	{"agents.v1.DisputeService/ListDisputes", ownOnly, func(owned, string) map[string]any { return map[string]any{"course_id": course} }},
	{"events.v1.EventsService/ListEvents", ownOnly, nothingAside},
	{"events.v1.EventsService/ListEvents", ownOnly, func(owned, string) map[string]any { return map[string]any{"course_id": course} }},
	{"events.v1.EventsService/ListEvents", ownOnly, func(o owned, _ string) map[string]any { return map[string]any{"task_id": o.Task} }},
	{"tasks.v1.TasksService/CreateTask", refused, func(o owned, goal string) map[string]any {
		return map[string]any{"goal_id": goal, "title": "leans on another's", "depends_on": []string{o.Task}}
	}},
	{"llm.v1.LlmService/GetSpending", denied, func(owned, string) map[string]any { return map[string]any{"everybody": true} }},
}

func nothingAside(owned, string) map[string]any { return map[string]any{} }

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
