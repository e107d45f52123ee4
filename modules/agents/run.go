package agents

import "time"

// The types of this module's streams.
const (
	StreamRun      = "agent-run"
	StreamFeedback = "feedback"
	StreamHint     = "hint"
)

// The graphs.
const (
	GraphPlanner  = "planner"
	GraphReviewer = "reviewer"
)

// The labels of what was made without a model.
const (
	BuiltInPlanner  = "built-in planner, no AI model"
	BuiltInReviewer = "built-in reviewer, no AI model"
	BuiltInTutor    = "built-in tutor, no AI model"
)

// Status is where a run stands.
type Status string

// The statuses of a run.
const (
	StatusQueued    Status = "queued"
	StatusRunning   Status = "running"
	StatusWaiting   Status = "waiting"
	StatusDone      Status = "done"
	StatusFailed    Status = "failed"
	StatusCancelled Status = "cancelled"
)

// Statuses are all statuses.
var Statuses = []Status{StatusQueued, StatusRunning, StatusWaiting, StatusDone, StatusFailed, StatusCancelled}

// Active reports whether something can still come of the run.
func (s Status) Active() bool { return s == StatusQueued || s == StatusRunning || s == StatusWaiting }

// Waiting is what a run waits for; it holds no job meanwhile.
type Waiting string

// What runs wait for.
const (
	ForNothing  Waiting = ""
	ForAnswer   Waiting = "answer"
	ForApproval Waiting = "approval"
	ForMaterial Waiting = "material"
)

// Text is for people, in English and Spanish.
type Text struct {
	EN string `json:"en,omitempty"`
	ES string `json:"es,omitempty"`
}

// In is the text in a language: Spanish for "es", else English.
func (t Text) In(locale string) string {
	if locale == "es" && t.ES != "" {
		return t.ES
	}
	return t.EN
}

// Question is what a run asks its learner.
type Question struct {
	ID      string   `json:"id"`
	Text    Text     `json:"text"`
	Choices []string `json:"choices,omitempty"`
}

// Cost is what the model calls of a run took.
type Cost struct {
	ModelCalls   int
	InputTokens  int64
	OutputTokens int64
	// Micros are millionths of a US dollar.
	Micros int64
}

// Step is an execution of a node that ended.
type Step struct {
	// Number counts the executions of a run from 1, in the order in which they
	// were due.
	Number int
	Node   string
	// Outcome is "done", "waiting" or "failed", or a word of the node's own.
	Outcome               string
	StartedAt, FinishedAt time.Time
	// Attempts is how often it was taken up, after failures and kills too.
	Attempts int
	// Cost is what its model calls took.
	Cost Cost
}

// Run is one passage through a graph.
type Run struct {
	ID string
	// Graph and GraphVersion name the graph that it keeps to its end.
	Graph        string
	GraphVersion int
	UserID       string
	// CourseID, GoalID, TaskID and ValidationRunID are "" where there is none.
	CourseID, GoalID, TaskID, ValidationRunID string
	Status                                    Status
	// Node is the one that it is at, or ended in.
	Node       string
	WaitingFor Waiting
	// Question is set while it waits for an answer.
	Question *Question
	// Plan is set once a plan was generated; lists leave it out.
	Plan *Plan
	// Message is for the learner: why it failed, or what it asks for.
	Message Text
	Cost    Cost
	// Label says who made what came of it; "" before.
	Label string
	// Steps and Mermaid, the graph with its path as a flowchart, are read by Get.
	Steps                []Step
	Mermaid              string
	CreatedAt, UpdatedAt time.Time
	// ForkedFrom and ForkedStep are the step of another run that it goes on from;
	// "" for none.
	ForkedFrom string
	ForkedStep int
	// Version is that of its stream; 0 while it has no event.
	Version int64
}
