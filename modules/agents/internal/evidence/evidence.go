// Package evidence decides whether a claim of an agent is backed: by a line of
// the submission, a finding or a test of the report, or a passage of the
// material; and whether it gives a solution or a verdict away.
package evidence

import (
	"regexp"
	"strings"

	"github.com/goals-tracker/tracker/modules/agents"
	"github.com/goals-tracker/tracker/modules/agents/internal/screen"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Base is what claims rest on.
type Base struct {
	Report   validation.Report
	Files    []validation.File
	Passages map[string]rag.Passage
	// Solution is the exercise's own, "" when it is not known; Starter is what the
	// learner was given, Language the task's.
	Solution, Starter, Language string
}

// Wrong says why a comment can't stand; "" when it can. Every piece of evidence
// that it names must hold, and it names one at least.
func (b Base) Wrong(c agents.Comment) string {
	if c.File == "" && c.Rule == "" && c.TestID == "" && c.Citation == nil {
		return "it names no evidence"
	}
	if c.File != "" && !b.hasLines(c) {
		return "the submission has no such lines"
	}
	if c.Rule != "" && !b.hasFinding(c) {
		return "the report has no such finding"
	}
	if c.TestID != "" && !b.hasTest(c.TestID) {
		return "the report has no such test that did not pass"
	}
	if c.Citation != nil {
		if why := Unbacked(*c.Citation, b.Passages); why != "" {
			return "it " + why
		}
	}
	return b.gives(c.Text)
}

// Leaks says what a text says that no agent may, whatever it rests on: "" for
// nothing.
func Leaks(text string) string { return leaks(text, maxCode) }

// leaks is Leaks with a bound on the lines of code.
func leaks(text string, most int) string {
	if strings.TrimSpace(text) == "" {
		return "it says nothing"
	}
	if verdict.MatchString(text) {
		return "it gives a verdict"
	}
	if codeLines(text) > most {
		return "it holds more code than a hint may"
	}
	return ""
}

// gives says what a text gives away.
func (b Base) gives(text string) string {
	known := make([]string, 0, 1+len(b.Files)+len(b.Passages))
	known = append(known, b.Starter)
	for _, f := range b.Files {
		known = append(known, f.Content)
	}
	for _, p := range b.Passages {
		known = append(known, p.Text)
	}
	return Keep(b.Language, b.Solution, known...).Wrong(text)
}

// maxCode is how many lines of code a comment may show.
const maxCode = 2

// statement finds lines of code outside of code blocks.
var statement = regexp.MustCompile(`^\s*(?:def \w+\(|class \w+|for \w.* in .*:|while .*:|return\b|(?:if|elif) .*:$|else:$|import \w|from \w+ import |[\w.\[\]]+ *[-+*/]?= *\S)`)

// codeLines counts the lines of code of a Markdown text. Quotes are not
// counted: they are the course's own.
func codeLines(text string) (n int) {
	for _, block := range screen.Fences(text) {
		n += strings.Count(strings.TrimSpace(block), "\n") + 1
		text = strings.ReplaceAll(text, block, "")
	}
	for _, line := range strings.Split(text, "\n") {
		if statement.MatchString(line) {
			n++
		}
	}
	return n
}

// verdict finds what only tests and rules may say.
var verdict = regexp.MustCompile(`(?i)\b(?:(?:your|the) (?:code|solution|submission|task|exercise) (?:has |have )?(?:now )?(?:passed|passes|failed|fails|is (?:accepted|rejected|passed))|` +
	`you (?:have )?(?:passed|failed) (?:the |this )?(?:task|exercise)|(?:grade|score|mark) (?:of|is|:)|` +
	`(?:tu|la) (?:código|solución|entrega|tarea) (?:está |ha sido )?(?:aprobad|suspendid|rechazad|aceptad)|has (?:aprobado|suspendido)|(?:nota|calificación) (?:de|es|:))`)

func (b Base) hasLines(c agents.Comment) bool {
	for _, f := range b.Files {
		if f.Path == c.File {
			n := strings.Count(f.Content, "\n") + 1
			return c.StartLine >= 0 && c.EndLine <= n && c.EndLine >= c.StartLine
		}
	}
	return false
}

func (b Base) hasFinding(c agents.Comment) bool {
	for _, f := range b.Report.Findings {
		if f.Rule == c.Rule && (c.File == "" || f.File == c.File) && (c.StartLine == 0 || f.Line == c.StartLine) {
			return true
		}
	}
	return false
}

func (b Base) hasTest(id string) bool {
	for _, t := range b.Report.Tests {
		if t.ID == id {
			return t.Status == judging.StatusFail || t.Status == judging.StatusError
		}
	}
	return false
}
