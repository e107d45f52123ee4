package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// cell is one value of a result.
type cell struct {
	kind byte // 0 for NULL, else s(tring), n(umber), t(ruth), b(ytes)
	text string
}

// UnmarshalJSON reads what the engine writes.
func (c *cell) UnmarshalJSON(b []byte) error {
	switch {
	case bytes.Equal(b, []byte("null")):
		*c = cell{}
	case b[0] == '"':
		c.kind = 's'
		return json.Unmarshal(b, &c.text)
	case b[0] == '{':
		var v struct {
			N *string `json:"n"`
			B *string `json:"b"`
		}
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		switch {
		case v.N != nil:
			c.kind, c.text = 'n', *v.N
		case v.B != nil:
			c.kind, c.text = 'b', *v.B
		default:
			return errors.New("a value of no kind")
		}
	default:
		c.kind, c.text = 't', string(b)
	}
	return nil
}

// table is a result.
type table struct {
	Columns []string `json:"columns"`
	Rows    [][]cell `json:"rows"`
}

// refusal is a statement that the database did not accept.
type refusal struct {
	Message   string `json:"message"`
	Offset    *int   `json:"offset"` // in code points of the statement
	Denied    string `json:"denied"`
	Syntax    bool   `json:"syntax"`
	Phase     string `json:"phase"`
	Statement int    `json:"statement"` // from 0
}

// answer is what a run came to.
type answer struct {
	Result *table            `json:"result"`
	Check  *table            `json:"check"`
	Tables map[string]*table `json:"tables"`
	Open   bool              `json:"open"`
	Error  *refusal          `json:"error"`
}

// answers are all that an engine wrote.
type answers struct {
	version  string
	byID     map[string]*answer
	started  string
	tooMuch  bool
	memory   bool
	tooLong  map[string]bool
	finished bool
}

func answersOf(res *validator.StepResult, role string) (*answers, error) {
	p := res.Process(role)
	if p == nil {
		return nil, fmt.Errorf("step %s was not executed: %s", res.StepID, res.Outcome)
	}
	out := &answers{byID: map[string]*answer{}, tooLong: map[string]bool{}}
	if f := p.File(resultsFile); f != nil {
		for line := range bytes.Lines(f.Content) {
			var l struct {
				Version  string  `json:"version"`
				Start    string  `json:"start"`
				ID       string  `json:"id"`
				Got      *answer `json:"got"`
				TooMuch  bool    `json:"too_much"`
				TooLong  bool    `json:"too_long"`
				Memory   bool    `json:"memory"`
				Finished bool    `json:"finished"`
			}
			if json.Unmarshal(line, &l) != nil {
				break // cut off by a limit
			}
			switch {
			case l.Version != "":
				out.version = l.Version
			case l.Got != nil:
				out.byID[l.ID] = l.Got
			case l.TooLong:
				out.tooLong[l.ID] = true
			case l.Start != "":
				out.started = l.Start
			}
			out.tooMuch = out.tooMuch || l.TooMuch
			out.memory = out.memory || l.Memory
			out.finished = out.finished || l.Finished
		}
	}
	if res.Outcome == validator.OutcomeExited && (out.version == "" || p.ExitCode != 0) {
		return nil, fmt.Errorf("what runs SQL in step %s broke down (exit code %d): %s", res.StepID, p.ExitCode, tail(p.Stderr))
	}
	return out, nil
}

// tail is the end of what a program said.
func tail(b []byte) string {
	b = bytes.TrimSpace(b)
	return string(b[max(0, len(b)-500):])
}
