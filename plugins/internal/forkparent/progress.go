package forkparent

import (
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/native"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// Progress is how far a run came, by its events.
type Progress struct {
	Running     string // the test that started last and has not reported
	Finished    bool   // the parent came to its end
	Died        bool   // outside of any test
	OutputLimit bool
}

// Unreported says why an expected test has no result; ended is the language's
// word on a program that ended too early.
func (p *Progress) Unreported(id string, run *validator.StepResult, l native.Language, ended validator.Message) validator.Message {
	this := id == p.Running
	switch {
	case run.Outcome == validator.OutcomeTimedOut && this:
		return l.TestLimit(validator.TimedOut)
	case run.Outcome == validator.OutcomeOutOfMemory && this:
		return l.TestLimit(validator.OutOfMemory)
	case p.OutputLimit && this:
		return l.TestLimit(validator.OutputLimit)
	case run.Outcome != validator.OutcomeExited || p.OutputLimit:
		return l.NotReached()
	case p.Died:
		return ended
	}
	return l.Unreported()
}

// TestName is the name in a test's id, which begins with its file.
func TestName(id string) string {
	if _, name, ok := strings.Cut(id, "::"); ok {
		return name
	}
	return id
}
