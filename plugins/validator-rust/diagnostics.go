package main

import (
	"bytes"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/files"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// diagnostic is one of the compiler's, as --error-format=json has it.
type diagnostic struct {
	Message string `json:"message"`
	Level   string `json:"level"`
	Code    *struct {
		Code string `json:"code"`
	} `json:"code"`
	Spans    []span       `json:"spans"`
	Children []diagnostic `json:"children"`
}

type span struct {
	File        string `json:"file_name"`
	Line        int    `json:"line_start"`
	EndLine     int    `json:"line_end"`
	Column      int    `json:"column_start"`
	EndColumn   int    `json:"column_end"`
	Primary     bool   `json:"is_primary"`
	Label       string `json:"label"`
	Replacement string `json:"suggested_replacement"`
}

// mostFindings keeps one missing brace from filling a report.
const mostFindings = 60

// diagnose turns what the compiler says in a step into findings.
func diagnose(p *validator.ProcessResult, sub *validator.Submission, l *layout, ofTests bool, ignore []string) []validator.Finding {
	var out []validator.Finding
	files := slices.Clone(p.Collected)
	slices.SortFunc(files, func(a, b validator.File) int { return strings.Compare(a.Path, b.Path) })
	for _, f := range files {
		if path.Ext(f.Path) != ".json" {
			continue
		}
		for line := range bytes.Lines(f.Content) {
			var d diagnostic
			if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &d) != nil {
				continue
			}
			x, ok := d.finding(sub, l, ofTests)
			if !ok || x.Severity != validator.SeverityError && slices.Contains(ignore, x.Rule) {
				continue
			}
			double := slices.ContainsFunc(out, func(o validator.Finding) bool {
				return o.Rule == x.Rule && o.File == x.File && o.Line == x.Line && o.Column == x.Column && o.Message.In("en") == x.Message.In("en")
			})
			if !double && len(out) < mostFindings {
				out = append(out, x)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b validator.Finding) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	return out
}

// summaries end what the compiler says.
var summaries = regexp.MustCompile(`^(aborting due to|For more information)|warnings? emitted$`)

// finding is a diagnostic's; false for summaries and warnings about the tests.
func (d *diagnostic) finding(sub *validator.Submission, l *layout, ofTests bool) (validator.Finding, bool) {
	var f validator.Finding
	switch {
	case summaries.MatchString(d.Message):
		return f, false
	case strings.HasPrefix(d.Level, "error"):
		f.Severity, f.Rule = validator.SeverityError, "error"
	case d.Level == "warning":
		f.Severity, f.Rule = validator.SeverityWarning, "warning"
	default:
		return f, false
	}
	if d.Code != nil && d.Code.Code != "" {
		f.Rule = d.Code.Code
	}
	where := d.locate(&f, sub)
	if f.File == "" && (f.Severity == validator.SeverityWarning || !ofTests && where == "" && len(d.Spans) > 0) {
		return f, false
	}
	f.Message = d.phrase(l)
	if f.File == "" && where != "" && ofTests {
		f.Message = validator.Text("rust.tests-compile", "{where} does not compile with your code: {message}", "{where} no compila con tu código: {message_es}",
			"where", where, "message", f.Message.In("en"), "message_es", f.Message.In("es"))
	}
	return f, true
}

// locate finds the place in the submission, else answers with another one.
func (d *diagnostic) locate(f *validator.Finding, sub *validator.Submission) string {
	where := ""
	for _, s := range d.Spans {
		if !s.Primary {
			continue
		}
		name := path.Clean(s.File)
		if sub.File(name) != nil {
			f.File, f.Line, f.Column, f.EndLine, f.EndColumn = name, s.Line, s.Column, s.EndLine, s.EndColumn
			if s.Column > 0 {
				f.Excerpt = files.Excerpt(files.Line(sub, name, s.Line), s.Column)
			}
			break
		}
		if where == "" {
			where = name + ":" + strconv.Itoa(s.Line)
		}
	}
	return where
}
