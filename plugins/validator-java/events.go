package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/sdk/validator"
)

// event is one line of the run.
type event struct {
	Kind        string            `json:"kind"`
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Line        int               `json:"line"`
	Task        string            `json:"task"`
	Status      string            `json:"status"`
	Reason      string            `json:"reason"`
	Output      string            `json:"output"`
	Seconds     float64           `json:"seconds"`
	Failure     *failure          `json:"failure"`
	File        string            `json:"file"`
	Of          string            `json:"of"`
	OK          bool              `json:"ok"`
	GaveUp      string            `json:"gave_up"`
	ParseFailed bool              `json:"parse_failed"`
	Children    int               `json:"children"`
	Versions    map[string]string `json:"versions"`
	Diagnostics []diagnostic      `json:"diagnostics"`
	Tests       []expected        `json:"tests"`
}

// expected is a test that must report.
type expected struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Line int    `json:"line"`
	Task string `json:"task"`
}

// diagnostic is one of the compiler's.
type diagnostic struct {
	File      string `json:"file"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
	Code      string `json:"code"`
	Error     bool   `json:"error"`
	Message   string `json:"message"`
	Text      string `json:"text"`
}

// place is a line of a file.
type place struct {
	File string `json:"file"`
	Text string `json:"text"`
	Line int    `json:"line"`
}

// failure is an exception, and where it came from.
type failure struct {
	Type     string    `json:"type"`
	Message  string    `json:"message"`
	Class    string    `json:"class"`
	Learner  *place    `json:"learner"`
	Test     *place    `json:"test"`
	Expected *string   `json:"expected"`
	Actual   *string   `json:"actual"`
	Failures []failure `json:"failures"`
}

// eventsOf returns the lines that the judge wrote, in order, up to the first
// that was not its own.
func eventsOf(p *validator.ProcessResult, nonce string) []event {
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
	lines       map[string]int // by test id
	expected    []expected
	containers  map[string]int // children by id
	running     string         // the test that started last and has not reported
	versions    map[string]string
	submission  *event // its compilation
	testSources *event
	refused     *event
	hides       *event
	program     *event
	thrown      *failure
	broken      map[string]*failure // containers by id
	stopped     *failure
	output      string
	finished    bool
	outputLimit bool
	memory      bool
	timedOut    bool
}

func collect(events []event) *collected {
	k := &collected{lines: map[string]int{}, containers: map[string]int{}, broken: map[string]*failure{}}
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case "hello":
			k.versions = e.Versions
		case "compiled":
			if e.Of == "submission" {
				k.submission = e
			} else {
				k.testSources = e
			}
		case "refused":
			k.refused = e
		case "hides":
			k.hides = e
		case "program":
			k.program = e
		case "thrown":
			k.thrown = e.Failure
		case "expected":
			k.expected = e.Tests
			for _, t := range e.Tests {
				k.lines[t.ID] = t.Line
			}
		case "started":
			k.running = e.ID
		case "container":
			k.containers[e.ID] = e.Children
		case "test":
			k.running = ""
			k.lines[e.ID] = e.Line
			k.tests = append(k.tests, e.test())
		case "broken":
			k.broken[e.ID] = e.Failure
			k.output += e.Output
		default:
			k.end(e)
		}
	}
	return k
}

// end takes in how the run ended.
func (k *collected) end(e *event) {
	switch e.Kind {
	case "output_limit":
		k.outputLimit = true
	case "memory":
		k.memory = true
	case "timed_out":
		k.timedOut = true
	case "error":
		k.stopped = e.Failure
		k.output += e.Output
	case "finished":
		k.finished = true
		k.output += e.Output
	}
}

func (e *event) test() validator.Test {
	t := validator.Test{ID: e.ID, Name: e.Name, TaskID: e.Task, Output: strings.TrimRight(e.Output, "\n"), Duration: seconds(e.Seconds)}
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
		t.Expected, t.Actual = e.Failure.values()
	}
	return t
}

// sorted brings tests into the order in which their class declares them.
func (k *collected) sorted(tests []validator.Test) {
	slices.SortStableFunc(tests, func(a, b validator.Test) int {
		if c := strings.Compare(classOf(a.ID), classOf(b.ID)); c != 0 {
			return c
		}
		return k.lines[a.ID] - k.lines[b.ID]
	})
}

func classOf(id string) string { c, _, _ := strings.Cut(id, "::"); return c }

func seconds(s float64) time.Duration {
	if s < 0 || s > 3600 {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}
