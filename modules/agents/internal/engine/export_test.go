package engine

// At lets a test hear of the instants between which something is recorded.
func (e *Engine) At(fn func(instant, runID string, step int)) { e.at = fn }

// Instants are all that At hears of, in the order of an execution.
var Instants = []string{"taken", "begun", "effect begun", "effect made", "effect recorded", "executed", "recording", "recorded"}
