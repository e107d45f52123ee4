package report

import (
	"encoding/json"
	"io"

	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// The JSON is a fixed contract of the command line; new fields may come, none go.
type jsonReport struct {
	Verdict    judging.Verdict `json:"verdict"`
	Score      float64         `json:"score"`
	Tests      []jsonTest      `json:"tests"`
	Findings   []jsonFinding   `json:"findings"`
	DurationMS int64           `json:"duration_ms"`
}

type jsonTest struct {
	Name    string             `json:"name"`
	Status  judging.TestStatus `json:"status"`
	Message string             `json:"message"`
	Output  string             `json:"output"`
	TaskID  string             `json:"task_id"`
}

type jsonFinding struct {
	File     string           `json:"file"`
	Line     int              `json:"line"`
	Column   int              `json:"column"`
	Rule     string           `json:"rule"`
	Severity judging.Severity `json:"severity"`
	Message  string           `json:"message"`
}

func writeJSON(w io.Writer, r validation.Report, o Options) error {
	out := jsonReport{
		Verdict: r.Verdict, Score: r.Score, DurationMS: o.Took.Milliseconds(),
		Tests: make([]jsonTest, len(r.Tests)), Findings: make([]jsonFinding, len(r.Findings)),
	}
	for i, t := range r.Tests {
		out.Tests[i] = jsonTest{Name: nameOf(t), Status: t.Status, Message: t.Message.In(o.Language), Output: t.Output, TaskID: t.TaskID}
	}
	for i, f := range r.Findings {
		out.Findings[i] = jsonFinding{
			File: f.File, Line: f.Line, Column: f.Column, Rule: f.Rule, Severity: f.Severity, Message: f.Message.In(o.Language),
		}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}
