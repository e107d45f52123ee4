package judging

import (
	"fmt"
	"strings"
	"time"
)

// Verdict is what a run says about a submission.
type Verdict string

// The verdicts. VerdictPlatformError is the host's alone: never the learner's
// fault, and retried.
const (
	// VerdictPassed: all expected tests reported and passed, and no rule of
	// severity error broke.
	VerdictPassed Verdict = "passed"
	// VerdictFailed: a test failed, or a rule of severity error broke.
	VerdictFailed Verdict = "failed"
	// VerdictInvalid: the submission does not compile or parse.
	VerdictInvalid     Verdict = "invalid"
	VerdictTimedOut    Verdict = "timed_out"
	VerdictOutOfMemory Verdict = "out_of_memory"
	VerdictOutputLimit Verdict = "output_limit"
	// VerdictUnproven: it runs and the rules hold, but the task has no tests.
	VerdictUnproven      Verdict = "unproven"
	VerdictPlatformError Verdict = "platform_error"
)

// Report is about the learner's work. What keeps a plugin from judging is an
// error instead, and never a report.
type Report struct {
	Verdict Verdict
	// Score is the share of the tests' weight that passed, 0 to 1.
	Score    float64
	Tests    []Test
	Findings []Finding
	// Integrity that the run had; empty means IntegrityShared.
	Integrity Integrity
	Summary   Message
	// Versions that matter to read the report: {"pytest": "7.2.1"}.
	Versions map[string]string
	// Output is what the submission printed outside of any test.
	Output string
}

// TestStatus is how a test ended.
type TestStatus string

// The states of a test. StatusError: it could not run to its end because of
// the submission.
const (
	StatusPass  TestStatus = "pass"
	StatusFail  TestStatus = "fail"
	StatusError TestStatus = "error"
	StatusSkip  TestStatus = "skip"
)

// Test is the result of one test.
type Test struct {
	// ID is stable over runs: "tests/test_stack.py::TestPush::test_one[3]".
	ID      string
	Name    string
	Status  TestStatus
	Message Message
	// Output is what the submission printed during the test.
	Output   string
	Duration time.Duration
	// TaskID is the part of the exercise the test belongs to, when known.
	TaskID   string
	Expected string
	Actual   string
	// Weight in the score; 0 means 1.
	Weight float64
}

// Severity says how much a finding matters.
type Severity string

// The severities. SeverityError breaks a rule that the task demands, or the
// language itself.
const (
	SeverityInfo    Severity = "info"
	SeverityWarning Severity = "warning"
	SeverityError   Severity = "error"
)

// Finding is something to see at a place of the submission. Lines and columns
// count from 1, columns in Unicode code points; 0 means unknown.
type Finding struct {
	File      string
	Line      int
	Column    int
	EndLine   int
	EndColumn int
	// Rule names what was broken: "bare-except".
	Rule     string
	Severity Severity
	Message  Message
	// Excerpt is the line itself and a caret under the place.
	Excerpt string
}

// Message is text for people, in English and Spanish.
type Message struct {
	// ID stays the same when the wording changes: "python.missing-colon".
	ID string
	// Params were put into the texts.
	Params map[string]string
	// Text by language; "en" and "es" are required unless the message is empty.
	Text map[string]string
}

// Text makes a message from an English and a Spanish text. Each {key} in them
// is replaced by the value that follows the key in params: Text("py.name",
// "{name} is not defined", "{name} no está definido", "name", "foo").
func Text(id, en, es string, params ...any) Message {
	m := Message{ID: id, Text: map[string]string{"en": en, "es": es}}
	if len(params) == 0 {
		return m
	}
	m.Params = make(map[string]string, len(params)/2)
	pairs := make([]string, 0, len(params))
	for i := 0; i+1 < len(params); i += 2 {
		key, value := fmt.Sprint(params[i]), fmt.Sprint(params[i+1])
		m.Params[key] = value
		pairs = append(pairs, "{"+key+"}", value)
	}
	r := strings.NewReplacer(pairs...)
	m.Text["en"], m.Text["es"] = r.Replace(en), r.Replace(es)
	return m
}

// Verbatim makes a message of text that has no language, such as a
// traceback's last line.
func Verbatim(id, text string) Message {
	return Message{ID: id, Text: map[string]string{"en": text, "es": text}}
}

// IsZero says that there is no message.
func (m Message) IsZero() bool { return m.ID == "" && len(m.Text) == 0 }

// In returns the text in that language, or else in English.
func (m Message) In(language string) string {
	if t, ok := m.Text[language]; ok {
		return t
	}
	return m.Text["en"]
}

// Score returns the share of the tests' weight that passed. Skipped tests do
// not count; without tests it is 0.
func Score(tests []Test) float64 {
	var passed, all float64
	for _, t := range tests {
		w := t.Weight
		if w == 0 {
			w = 1
		}
		switch t.Status {
		case StatusPass:
			passed += w
			all += w
		case StatusFail, StatusError:
			all += w
		case StatusSkip:
		}
	}
	if all == 0 {
		return 0
	}
	return passed / all
}
