package sandbox

import (
	"fmt"
	"strings"
)

// State of a layer.
type State string

// States. Open means that an attack got through; Unavailable that this machine
// doesn't grant the layer and, if Report.OK, others stand in for it.
const (
	Held        State = "held"
	Open        State = "open"
	Unavailable State = "unavailable"
)

// Layer is one line of defence as it was seen to be.
type Layer struct {
	Name  string
	State State
	// Why says what was seen, or what is missing and what to do.
	Why string
}

// Report is what Probe found.
type Report struct {
	// Layers are in a fixed order.
	Layers []Layer
	// Isolation is what steps would have; "" when nothing can be judged.
	Isolation Isolation
	// Unsafe is why there is no isolation, though steps would run; nil when they
	// would not, or safely.
	Unsafe error
	// Err is why nothing can be judged here; nil when something can.
	Err error
}

// OK reports whether learners' code may run here: a room can be built and no
// attack got through.
func (r Report) OK() bool {
	if r.Err != nil || len(r.Layers) == 0 {
		return false
	}
	for _, l := range r.Layers {
		if l.State == Open {
			return false
		}
	}
	return true
}

// String is the table an operator reads.
func (r Report) String() string {
	width := 0
	for _, l := range r.Layers {
		width = max(width, len(l.Name))
	}
	var b strings.Builder
	for _, l := range r.Layers {
		fmt.Fprintf(&b, "%-*s  %-11s  %s\n", width, l.Name, l.State, l.Why)
	}
	if r.Err != nil {
		fmt.Fprintf(&b, "%v\n", r.Err)
	}
	return b.String()
}
