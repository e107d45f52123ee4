package agents

import "github.com/goals-tracker/tracker/modules/tasks"

// Rubric holds a submission against what its task, its goal and the course ask
// for, where no tests do. It is no verdict, and completes nothing: that is the
// learner's or a teacher's word.
type Rubric struct {
	Criteria []Criterion `json:"criteria"`
	// Label says who looked: BuiltInReviewer, or provider and model.
	Label string `json:"label"`
}

// Criterion is one thing that is asked for, and what is to be seen of it.
type Criterion struct {
	// ID is "C1", "C2", ….
	ID   string `json:"id"`
	Text string `json:"text"`
	// Source is who asks for it.
	Source Source `json:"source"`
	// Asked is the document of the course that asks for it; "" for others.
	Asked string `json:"asked,omitempty"`
	State State  `json:"state"`
	// Note says why, in the feedback's language.
	Note string `json:"note"`
	// Evidence is never empty but where the state is CannotTell.
	Evidence []Evidence `json:"evidence"`
	// Withdrawn: what is said of it was disputed and does not hold.
	Withdrawn bool `json:"withdrawn,omitempty"`
}

// Source is who asks for something.
type Source string

// The sources of criteria.
const (
	FromTask   Source = "task"
	FromGoal   Source = "goal"
	FromCourse Source = "course"
)

// State is how much of a criterion is to be seen.
type State string

// The states of a criterion.
const (
	Met        State = "met"
	PartlyMet  State = "partly"
	NotShown   State = "not_shown"
	CannotTell State = "cannot_tell"
)

// Evidence is lines of a file of the submission, or a passage of the course.
type Evidence struct {
	// File with its lines from 1, both inclusive; "" for a passage.
	File      string `json:"file,omitempty"`
	StartLine int    `json:"start_line,omitempty"`
	EndLine   int    `json:"end_line,omitempty"`
	// Quote is words of those lines; "" where all of them were looked through.
	Quote    string          `json:"quote,omitempty"`
	Citation *tasks.Citation `json:"citation,omitempty"`
}
