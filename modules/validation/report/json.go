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
	// Summary is a sentence for people.
	Summary string `json:"summary"`
	// Output is what the submission printed outside of tests.
	Output            string            `json:"output"`
	Integrity         string            `json:"integrity"`
	RequiredIntegrity string            `json:"required_integrity,omitempty"`
	Plugin            string            `json:"plugin"`
	PluginVersion     string            `json:"plugin_version"`
	Toolchain         map[string]string `json:"toolchain"`
	Limits            validation.Limits `json:"limits"`
	Timings           jsonTimings       `json:"timings"`
	// Problem is what is wrong with the task, for its teacher.
	Problem string `json:"problem,omitempty"`
}

type jsonTimings struct {
	QueueMS   int64  `json:"queue_ms"`
	PrepareMS int64  `json:"prepare_ms"`
	RunMS     int64  `json:"run_ms"`
	JudgeMS   int64  `json:"judge_ms"`
	Path      string `json:"path"`
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
		Summary: r.Summary.In(o.Language), Output: r.Output, Integrity: r.Integrity, RequiredIntegrity: r.RequiredIntegrity,
		Plugin: r.Plugin, PluginVersion: r.PluginVersion, Toolchain: r.Toolchain, Limits: r.Limits, Problem: r.Problem,
		Timings: jsonTimings{
			QueueMS: r.Timings.Queue.Milliseconds(), PrepareMS: r.Timings.Prepare.Milliseconds(),
			RunMS: r.Timings.Run.Milliseconds(), JudgeMS: r.Timings.Judge.Milliseconds(), Path: r.Timings.Path,
		},
	}
	if out.Toolchain == nil {
		out.Toolchain = map[string]string{}
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
