package forkparent

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// Kind says what an event is about.
type Kind byte

// The kinds of events.
const (
	Started     Kind = 'S' // a test has begun
	Reported    Kind = 'R' // a test has reported: Status and Text
	Died        Kind = 'X' // the process has ended too early: Signal, else Code
	Printed     Kind = 'O' // there was output after the last test
	OutputLimit Kind = 'L' // more was printed than may be
	Finished    Kind = 'F' // the parent has come to its end
)

// Event is one line that the parent wrote.
type Event struct {
	Kind Kind
	// ID of the test; empty when none was running.
	ID     string
	Status byte
	Text   string
	Signal int
	Code   int
	// Output is what was printed since the event before.
	Output string
}

// Events returns what the parent of a step's process wrote, up to where the step
// met its memory limit.
func Events(run *validator.StepResult, nonce string) []Event {
	events := lines(run.Process("main"), nonce)
	if run.Outcome != validator.OutcomeOutOfMemory {
		return events
	}
	// The kernel kills the largest process, which is a test's. Until all the
	// others are dead too, the parent sees a signal and may go on.
	for i, e := range events {
		if e.Kind == Died && e.Signal == killed {
			return append(events[:i:i], Event{Kind: Printed, Output: e.Output})
		}
	}
	return events
}

const killed = 9

// lines returns the parent's lines. Only the parent has the nonce and its
// standard output; a line without it ends the reading.
func lines(p *validator.ProcessResult, nonce string) []Event {
	var out []Event
	for line := range bytes.Lines(p.Stdout) {
		rest, ok := bytes.CutPrefix(bytes.TrimSuffix(line, []byte("\n")), []byte(nonce+" "))
		if !ok {
			return out
		}
		fields := strings.Split(string(rest), " ")
		if len(fields) < 3 || len(fields[0]) != 1 {
			return out
		}
		e := Event{Kind: Kind(fields[0][0]), ID: unhex(fields[1]), Output: unhex(fields[len(fields)-1])}
		if middle := fields[2 : len(fields)-1]; len(middle) >= 2 {
			switch e.Kind {
			case Reported:
				e.Status, e.Text = middle[0][0], unhex(middle[1])
			case Started, Printed, OutputLimit, Finished:
			case Died:
				n, _ := strconv.Atoi(middle[1])
				if middle[0] == "signal" {
					e.Signal = n
				} else {
					e.Code = n
				}
			}
		}
		out = append(out, e)
	}
	return out
}

func unhex(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}
