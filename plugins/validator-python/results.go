package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// checked is what the check step says.
type checked struct {
	Syntax      []syntaxError
	Findings    []ruleFinding
	Expected    map[string][]string // ids by test file
	BrokenTests []string            `json:"broken_tests"`
}

type syntaxError struct {
	File, Message, Type, Text string
	Line, Column              int
	EndLine                   int `json:"end_line"`
	EndColumn                 int `json:"end_column"`
}

type ruleFinding struct {
	File, Rule, Severity string
	Line, Byte           int
	EndLine              int `json:"end_line"`
	EndByte              int `json:"end_byte"`
	Params               map[string]string
}

// event is one line of the run step.
type event struct {
	Kind string
	// test, started
	ID, Status, Reason, Output, Task string
	Seconds                          float64
	Failure                          *failure
	// broken_file, skipped_file, group_error
	File, Name, Error string
	IDs               []string
	Checked           *checked
	Versions          map[string]string
	Limit             int64
}

// place is a line of a file.
type place struct {
	File, Text string
	Line       int
}

// failure is an exception, and where it came from.
type failure struct {
	Type, Message    string
	Learner, Test    *place
	Actual, Expected string
	ImportName       string `json:"import_name"`
	ImportAttr       string `json:"import_attr"`
}

// UnmarshalJSON reads an event; a script's error is its failure.
func (e *event) UnmarshalJSON(b []byte) error {
	type plain event
	var raw struct {
		plain
		Error json.RawMessage
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*e = event(raw.plain)
	if len(raw.Error) > 0 && raw.Error[0] == '{' {
		e.Failure = new(failure)
		return json.Unmarshal(raw.Error, e.Failure)
	}
	_ = json.Unmarshal(raw.Error, &e.Error)
	return nil
}

// readEvents returns the lines that were written by the runner, in order, up
// to the first that was not.
func readEvents(raw []byte, nonce string) []event {
	mac := hmac.New(sha256.New, []byte(nonce))
	var out []event
	n := 0
	for line := range bytes.Lines(raw) {
		sum, body, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		if !ok {
			return out
		}
		n++
		mac.Reset()
		mac.Write([]byte(strconv.Itoa(n) + " "))
		mac.Write(body)
		got, err := hex.DecodeString(string(sum))
		if err != nil || !hmac.Equal(got, mac.Sum(nil)) {
			return out
		}
		var e event
		if json.Unmarshal(body, &e) != nil {
			return out
		}
		out = append(out, e)
	}
	return out
}

// addLines puts in the lines of tests that lay nowhere while they ran.
func addLines(events []event, tests []validator.File) {
	for _, e := range events {
		if e.Failure == nil || e.Failure.Test == nil || e.Failure.Test.Text != "" {
			continue
		}
		e.Failure.Test.Text = sourceLine(&validator.Submission{Files: tests}, e.Failure.Test.File, e.Failure.Test.Line)
	}
}

// check returns what was read of the submission and the tests: by a step of its
// own, or by the process of the tests before it ran them. It is nil when the
// submission is such that Python could not read it.
func check(req *validator.Request) (*checked, error) {
	if step := req.Result(stepCheck); step != nil && step.Process("main") != nil {
		if step.Outcome != validator.OutcomeExited {
			return nil, nil
		}
		p := step.Process("main")
		var c checked
		if err := json.Unmarshal(p.Stdout, &c); err != nil {
			return nil, fmt.Errorf("read what the check step says (exit code %d, %s): %w", p.ExitCode, bytes.TrimSpace(p.Stderr), err)
		}
		return &c, nil
	}
	step := req.Result(stepSplit)
	if step == nil || step.Process("tests") == nil {
		return nil, errors.New("the step that reads the files has no result")
	}
	p := step.Process("tests")
	if f := p.File(eventsFile); f != nil {
		for _, e := range readEvents(f.Content, req.Nonce) {
			if e.Checked != nil {
				return e.Checked, nil
			}
		}
	}
	if p.Outcome == validator.OutcomeExited && p.Signal == 0 {
		return nil, fmt.Errorf("the tests did not start (exit code %d, %s)", p.ExitCode, bytes.TrimSpace(p.Stderr))
	}
	return nil, nil
}

func seconds(s float64) time.Duration {
	if s < 0 || s > 3600 {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}
