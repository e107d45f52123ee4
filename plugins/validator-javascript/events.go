package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// event is one line of the run step.
type event struct {
	Kind     string            `json:"kind"`
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Status   string            `json:"status"`
	Reason   string            `json:"reason"`
	Output   string            `json:"output"`
	Seconds  float64           `json:"seconds"`
	Failure  *failure          `json:"failure"`
	File     string            `json:"file"`
	Why      string            `json:"why"`
	IDs      []string          `json:"ids"`
	Versions map[string]string `json:"versions"`
	Errors   []syntaxError     `json:"errors"`
}

type syntaxError struct {
	File    string `json:"file"`
	Message string `json:"message"`
	Text    string `json:"text"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
}

// place is a line of a file.
type place struct {
	File   string `json:"file"`
	Text   string `json:"text"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// failure is an exception, and where it came from.
type failure struct {
	Type     string `json:"type"`
	Message  string `json:"message"`
	Module   string `json:"module"`
	Learner  *place `json:"learner"`
	Test     *place `json:"test"`
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
}

// eventsOf returns the lines that the runner wrote, in order, up to the first
// that was not its own.
func eventsOf(res *validator.StepResult, role, nonce string) []event {
	p := res.Process(role)
	if p == nil {
		return nil
	}
	f := p.File(eventsFile)
	if f == nil {
		return nil
	}
	mac := hmac.New(sha256.New, []byte(nonce))
	var out []event
	for line := range bytes.Lines(f.Content) {
		sum, body, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		if !ok {
			return out
		}
		mac.Reset()
		mac.Write([]byte(strconv.Itoa(len(out)+1) + " "))
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

// collected is what the events of a run come to.
type collected struct {
	tests       []validator.Test
	expected    []string // ids that must report
	running     string   // the test that started last and has not reported
	versions    map[string]string
	brokenFiles map[string]*failure
	syntax      []syntaxError
	output      string
	lacks       [2]string // a test file, and the library that it imports in vain
	uncarriable string
	finished    bool
	outputLimit bool
	ended       bool // the submission's process
}

func collect(events []event) *collected {
	k := &collected{brokenFiles: map[string]*failure{}}
	ids := map[string]int{}
	for i := range events {
		e := &events[i]
		k.ended = k.ended || e.Failure != nil && e.Failure.Type == "Gone"
		switch e.Kind {
		case "hello":
			k.versions = e.Versions
		case "syntax":
			k.syntax = e.Errors
		case "uncarriable":
			k.uncarriable = e.Why
		case "expected", "collected":
			k.expected = append(k.expected, e.IDs...)
			k.output += e.Output
		case "started":
			k.running = e.ID
		case "test":
			k.running = ""
			ids[e.ID]++
			if n := ids[e.ID]; n > 1 {
				e.ID = fmt.Sprintf("%s#%d", e.ID, n)
			}
			k.tests = append(k.tests, e.test())
		case "lacks":
			k.lacks = [2]string{e.File, e.Why}
		case "broken_file":
			k.brokenFiles[e.File] = e.Failure
			k.output += e.Output
		case "output_limit":
			k.outputLimit = true
		case "gone":
			k.ended = true
		case "finished":
			k.finished = true
		}
	}
	return k
}

func (e *event) test() validator.Test {
	t := validator.Test{ID: e.ID, Name: e.Name, Output: strings.TrimRight(e.Output, "\n"), Duration: seconds(e.Seconds)}
	switch e.Status {
	case "pass":
		t.Status = validator.Pass
	case "skip":
		t.Status, t.Message = validator.Skip, skipMessage(e.Reason)
	case "fail":
		t.Status = validator.Fail
	default:
		t.Status = validator.Error
	}
	if e.Failure != nil {
		t.Message = explain(e.Failure)
		t.Expected, t.Actual = e.Failure.Expected, e.Failure.Actual
	}
	return t
}

func seconds(s float64) time.Duration {
	if s < 0 || s > 3600 {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}
