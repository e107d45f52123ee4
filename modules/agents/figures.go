package agents

// SaidJourney is how a learner fared with a task when something was said of it,
// without its name. Times are seconds before that, 0 for never.
type SaidJourney struct {
	Concepts    []string `json:"concepts,omitempty"`
	Hours       float64  `json:"hours,omitempty"`
	Status      string   `json:"status"`
	CompletedBy string   `json:"completed_by,omitempty"`
	Tries       int      `json:"tries,omitempty"`
	FailsInARow int      `json:"fails_in_a_row,omitempty"`
	Hints       int      `json:"hints,omitempty"`
	Tried       float64  `json:"tried,omitempty"`
	Hinted      float64  `json:"hinted,omitempty"`
	Finished    float64  `json:"finished,omitempty"`
	// About: a nudge is about this task, or about its goal.
	About bool `json:"about,omitempty"`
}
