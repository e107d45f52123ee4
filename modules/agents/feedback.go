package agents

import (
	"time"

	"github.com/goals-tracker/tracker/modules/tasks"
)

// Feedback is what the reviewer says about one run of the validator.
type Feedback struct {
	ID              string
	AgentRunID      string
	ValidationRunID string
	TaskID          string
	UserID          string
	CourseID        string
	SnapshotNumber  int
	// Text is Markdown in Locale.
	Text     string
	Comments []Comment
	// Rubric is nil where tests say all there is to say.
	Rubric *Rubric
	Label  string
	// Dispute is how it stands: withdrawn, or corrected where some comments are.
	Dispute Dispute
	// Locale is "en" or "es".
	Locale    string
	CreatedAt time.Time
	// Version is that of its stream, from 1.
	Version int64
}

// Comment is one claim with its evidence: at least one of place, rule, test and
// citation is set.
type Comment struct {
	Text string `json:"text"`
	// File with its lines from 1, both inclusive; 0 for none.
	File      string `json:"file,omitempty"`
	StartLine int    `json:"start_line,omitempty"`
	EndLine   int    `json:"end_line,omitempty"`
	// Rule is a finding's, TestID a test's, in the report of the run.
	Rule     string          `json:"rule,omitempty"`
	TestID   string          `json:"test_id,omitempty"`
	Citation *tasks.Citation `json:"citation,omitempty"`
	// Since is the number of the snapshot since which the same is said again and
	// again; 0 for what is said for the first time.
	Since int `json:"since,omitempty"`
	// Withdrawn: it was disputed and does not hold.
	Withdrawn bool `json:"withdrawn,omitempty"`
}

// The rungs of the ladder of hints.
const (
	HintQuestion = 1
	HintConcept  = 2
	HintPointer  = 3
	HintExample  = 4
)

// Hint is one rung of help with a task.
type Hint struct {
	ID       string
	TaskID   string
	UserID   string
	CourseID string
	// Level is a rung, 1 to 4.
	Level     int
	Text      string
	Citations []tasks.Citation
	Label     string
	// LookedAt is "task", "code <number>", "run <id>", "course".
	LookedAt  []string
	CreatedAt time.Time
	// Dispute is how it stands.
	Dispute Dispute
	// Asked is what a prepared hint answers. A hint without text is pending: a run
	// of its id writes it.
	Asked HintRequest
}
