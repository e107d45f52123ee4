package validation

import (
	"maps"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/validation/internal/judge"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// Report is what a run says about a submission. Its texts are valid UTF-8
// without NUL.
type Report struct {
	Verdict judging.Verdict `json:"verdict"`
	// Score is 0 to 1.
	Score    float64   `json:"score"`
	Tests    []Test    `json:"tests"`
	Findings []Finding `json:"findings"`
	// Integrity is "split" or "shared", "" when nothing ran.
	Integrity string `json:"integrity,omitempty"`
	Summary   Text   `json:"summary"`
	// Output is what the submission printed outside of tests.
	Output        string `json:"output,omitempty"`
	Plugin        string `json:"plugin"`
	PluginVersion string `json:"plugin_version"`
	// Toolchain holds versions by runtime, and those that the plugin added.
	Toolchain map[string]string `json:"toolchain,omitempty"`
	Timings   Timings           `json:"timings"`
	// Limits are what a step might use at most; 0 is the server's default.
	Limits Limits `json:"limits,omitzero"`
	// RequiredIntegrity is the weakest that the course accepted.
	RequiredIntegrity string `json:"required_integrity,omitempty"`
	// Problem is what keeps the task from judging submissions as it should, in
	// words for its teacher; "" for nothing. It may quote hidden tests, so
	// learners don't get it.
	Problem string `json:"problem,omitempty"`
}

// Limits bound a step of a run; 0 is the server's default.
type Limits struct {
	WallMS      uint32 `json:"wall_ms,omitempty"`
	CPUMS       uint32 `json:"cpu_ms,omitempty"`
	MemoryBytes uint64 `json:"memory_bytes,omitempty"`
	OutputBytes uint64 `json:"output_bytes,omitempty"`
}

// Timings are where the time of a run went.
type Timings struct {
	// Path is how its sandboxes came about, the slowest of all steps: "cold",
	// "prepared", "warm" or "forked"; "" when nothing ran.
	Path    string        `json:"path,omitempty"`
	Queue   time.Duration `json:"queue"`
	Prepare time.Duration `json:"prepare"`
	Run     time.Duration `json:"run"`
	Judge   time.Duration `json:"judge"`
}

// Total is the time from the submission to the verdict.
func (t Timings) Total() time.Duration { return t.Queue + t.Prepare + t.Run + t.Judge }

// Test is the result of one test.
type Test struct {
	ID       string             `json:"id"`
	Name     string             `json:"name"`
	Status   judging.TestStatus `json:"status"`
	Message  Text               `json:"message"`
	Output   string             `json:"output,omitempty"`
	Duration time.Duration      `json:"duration,omitempty"`
	TaskID   string             `json:"task_id,omitempty"`
	Expected string             `json:"expected,omitempty"`
	Actual   string             `json:"actual,omitempty"`
}

// Finding is something to see at a place of the submission; lines and columns
// count from 1, 0 is unknown.
type Finding struct {
	File      string           `json:"file,omitempty"`
	Line      int              `json:"line,omitempty"`
	Column    int              `json:"column,omitempty"`
	EndLine   int              `json:"end_line,omitempty"`
	EndColumn int              `json:"end_column,omitempty"`
	Rule      string           `json:"rule"`
	Severity  judging.Severity `json:"severity"`
	Message   Text             `json:"message"`
	Excerpt   string           `json:"excerpt,omitempty"`
}

// Counts are how many tests passed, of how many that were not skipped.
func (r Report) Counts() (passed, total int) {
	for _, t := range r.Tests {
		switch t.Status {
		case judging.StatusPass:
			passed++
			total++
		case judging.StatusFail, judging.StatusError:
			total++
		case judging.StatusSkip: // counts for nothing
		}
	}
	return passed, total
}

// ExitCode is 0 when the submission passed, 1 when it is the learner's to mend,
// 2 when it could not be judged: by the platform's fault, or for lack of tests.
func (r Report) ExitCode() int {
	switch r.Verdict {
	case judging.VerdictPassed:
		return 0
	case judging.VerdictFailed, judging.VerdictInvalid, judging.VerdictTimedOut, judging.VerdictOutOfMemory, judging.VerdictOutputLimit:
		return 1
	default:
		return 2
	}
}

// PlatformError is the report of a run that could not be judged.
func PlatformError(plugin string) Report {
	return Report{
		Verdict: judging.VerdictPlatformError, Plugin: plugin, Tests: []Test{}, Findings: []Finding{},
		Summary: Text{
			EN: "Your code could not be judged because of a problem on our side. It does not count; please submit again in a while.",
			ES: "No se pudo evaluar tu código por un problema nuestro. No cuenta; vuelve a entregarlo dentro de un rato.",
		},
	}
}

// NewReport takes over what a plugin said. Its texts are untrusted: they are
// made clean, and cut until all of them have at most limit bytes. A pass that is
// weaker than required is none, whatever the plugin says.
func NewReport(j judge.Result, required judging.Integrity, limit int) Report {
	r := Report{
		Verdict: j.Report.Verdict, Score: j.Report.Score, Integrity: clean(string(j.Report.Integrity)), Summary: text(j.Report.Summary),
		Output: clean(j.Report.Output), Plugin: j.Plugin, PluginVersion: clean(j.PluginVersion), Toolchain: map[string]string{},
		Tests: make([]Test, len(j.Report.Tests)), Findings: make([]Finding, len(j.Report.Findings)),
		Timings: Timings{Path: string(j.Way), Prepare: j.Prepare, Run: j.Run, Judge: j.Judge},
		Limits: Limits{
			WallMS: uint32(j.Limits.Wall.Milliseconds()), CPUMS: uint32(j.Limits.CPU.Milliseconds()),
			MemoryBytes: uint64(j.Limits.Memory), OutputBytes: uint64(j.Limits.Output),
		},
	}
	for name, version := range j.Toolchain {
		r.Toolchain[clean(name)] = clean(version)
	}
	for name, version := range j.Report.Versions {
		if len(r.Toolchain) < 50 {
			r.Toolchain[clean(cut(name, 64))] = clean(cut(version, 256))
		}
	}
	for i, t := range j.Report.Tests {
		r.Tests[i] = Test{
			ID: clean(t.ID), Name: clean(t.Name), Status: t.Status, Message: text(t.Message), Output: clean(t.Output),
			Duration: t.Duration, TaskID: clean(cut(t.TaskID, 256)), Expected: clean(t.Expected), Actual: clean(t.Actual),
		}
	}
	for i, f := range j.Report.Findings {
		r.Findings[i] = Finding{
			File: clean(f.File), Line: f.Line, Column: f.Column, EndLine: f.EndLine, EndColumn: f.EndColumn,
			Rule: clean(f.Rule), Severity: f.Severity, Message: text(f.Message), Excerpt: clean(f.Excerpt),
		}
	}
	bound(&r, limit)
	enforceIntegrity(&r, required)
	return r
}

// bound cuts the longest texts first, all of a kind alike, until the report has
// at most limit bytes of text.
func bound(r *Report, limit int) {
	for most := 64 << 10; most >= 64 && size(r) > limit; most /= 4 {
		r.Output = cut(r.Output, most)
		for i := range r.Tests {
			t := &r.Tests[i]
			t.Output, t.Expected, t.Actual = cut(t.Output, most), cut(t.Expected, most), cut(t.Actual, most)
			t.Message = Text{EN: cut(t.Message.EN, most), ES: cut(t.Message.ES, most)}
			t.ID, t.Name = cut(t.ID, most), cut(t.Name, most)
		}
		for i := range r.Findings {
			f := &r.Findings[i]
			f.Excerpt, f.Message = cut(f.Excerpt, most), Text{EN: cut(f.Message.EN, most), ES: cut(f.Message.ES, most)}
		}
	}
}

func size(r *Report) int {
	n := len(r.Output) + len(r.Summary.EN) + len(r.Summary.ES)
	for _, t := range r.Tests {
		n += len(t.ID) + len(t.Name) + len(t.Output) + len(t.Expected) + len(t.Actual) + len(t.Message.EN) + len(t.Message.ES) + 64
	}
	for _, f := range r.Findings {
		n += len(f.File) + len(f.Rule) + len(f.Excerpt) + len(f.Message.EN) + len(f.Message.ES) + 64
	}
	return n
}

// Clone is a copy that shares nothing that could be changed.
func (r Report) Clone() Report {
	r.Tests, r.Findings = append([]Test{}, r.Tests...), append([]Finding{}, r.Findings...)
	r.Toolchain = maps.Clone(r.Toolchain)
	return r
}

func text(m judging.Message) Text { return Text{EN: clean(m.In("en")), ES: clean(m.In("es"))} }

// clean makes text fit for the database and for terminals of others: valid
// UTF-8 without NUL.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.ReplaceAll(s, "\x00", "\u2400")
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + " …"
}
