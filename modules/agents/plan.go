package agents

import "github.com/goals-tracker/tracker/modules/tasks"

// Plan is a way to a goal.
type Plan struct {
	// Tasks in the order in which they are meant to be done.
	Tasks []PlannedTask `json:"tasks"`
	// Label says who made it.
	Label      string   `json:"label"`
	Summary    Text     `json:"summary"`
	Objectives []string `json:"objectives"`
}

// PlannedTask is a task that is not made yet.
type PlannedTask struct {
	// Key is unique in the plan; DependsOn names keys.
	Key         string     `json:"key"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Type        tasks.Type `json:"type"`
	// EstimatedHours are 0.1 to 40.
	EstimatedHours float64  `json:"estimated_hours"`
	DependsOn      []string `json:"depends_on"`
	Concepts       []string `json:"concepts"`
	// Language is a programming language, "" for none.
	Language string `json:"language,omitempty"`
	// Difficulty is 1 to 5.
	Difficulty int              `json:"difficulty"`
	Citations  []tasks.Citation `json:"citations"`
	// Exercise is the id of the exercise that brings starter and tests; "" for
	// none. Their contents are taken from the material when the task is made.
	Exercise string `json:"exercise,omitempty"`
	// Starter and Tests are what it brings, for the learner to see: hidden files
	// by their path only.
	Starter []PlannedFile `json:"starter,omitempty"`
	Tests   []PlannedFile `json:"tests,omitempty"`
}

// PlannedFile is a file of a planned task.
type PlannedFile struct {
	Path string `json:"path"`
	// Content is "" where learners may not see it.
	Content string `json:"content,omitempty"`
	Hidden  bool   `json:"hidden,omitempty"`
}

// The bounds of a plan.
const (
	MaxPlanTasks = 100
	MinHours     = 0.1
	MaxHours     = 40
)
