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
	// Dispute is how it stands: corrected where some tasks are withdrawn.
	Dispute Dispute `json:"-"`
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
	// Made is what a model wrote instead, nil for none: never for learners' eyes.
	Made *MadeExercise `json:"made,omitempty"`
	// Proof says that the tests judge rightly; nil for tasks without tests, and in
	// plans that are not proven yet.
	Proof *TaskProof `json:"proof,omitempty"`
	// Starter and Tests are what it brings, for the learner to see: hidden files
	// by their path only.
	Starter []PlannedFile `json:"starter,omitempty"`
	Tests   []PlannedFile `json:"tests,omitempty"`
	// Dispute is how it stands.
	Dispute Dispute `json:"-"`
}

// MadeExercise is an exercise that a model wrote.
type MadeExercise struct {
	Starter  []PlannedFile `json:"starter"`
	Solution []PlannedFile `json:"solution"`
	Tests    []PlannedFile `json:"tests"`
}

// TaskProof is what came of trying a task's tests out, for its learner.
type TaskProof struct {
	// Mutants of the reference solution were tried, and Killed were noticed.
	Mutants int `json:"mutants"`
	Killed  int `json:"killed"`
	// Operators that made them, by name.
	Operators []string `json:"operators"`
	// JudgedBy is the validator with its version.
	JudgedBy string `json:"judged_by"`
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
