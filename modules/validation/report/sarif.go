package report

import (
	"io"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	sarifreport "github.com/owenrumney/go-sarif/v3/pkg/report"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

const home = "https://github.com/goals-tracker/tracker"

var levels = map[judging.Severity]string{
	judging.SeverityError: "error", judging.SeverityWarning: "warning", judging.SeverityInfo: "note",
}

// writeSARIF shows findings as results, and so each test that did not pass:
// SARIF has no tests, and an editor that shows results shows these too. What
// else one must know is in the properties of the run.
func writeSARIF(w io.Writer, r validation.Report, o Options) error {
	run := sarif.NewRunWithInformationURI(r.Plugin, home)
	if v := r.PluginVersion; v != "" {
		run.Tool.Driver.WithVersion(v)
	}
	for _, f := range r.Findings {
		rule := f.Rule
		if rule == "" {
			rule = "finding"
		}
		run.AddRule(rule)
		result := run.CreateResultForRule(rule).WithLevel(levels[f.Severity]).WithMessage(sarif.NewTextMessage(message(f.Message.In(o.Language), rule)))
		if f.File != "" {
			result.AddLocation(location(f, o.Root))
		}
	}
	for _, t := range r.Tests {
		if t.Status != judging.StatusFail && t.Status != judging.StatusError {
			continue
		}
		run.AddRule("test")
		text := message(t.Message.In(o.Language), string(t.Status))
		result := run.CreateResultForRule("test").WithLevel("error").WithMessage(sarif.NewTextMessage(nameOf(t) + ": " + text))
		if t.Output != "" {
			result.WithProperties(sarif.NewPropertyBag().Add("output", t.Output))
		}
	}
	if r.Verdict != judging.VerdictPassed && len(run.Results) == 0 {
		run.AddRule("verdict")
		run.CreateResultForRule("verdict").WithLevel("error").WithMessage(sarif.NewTextMessage(message(r.Summary.In(o.Language), string(r.Verdict))))
	}
	bag := sarif.NewPropertyBag().Add("verdict", string(r.Verdict)).Add("score", r.Score)
	for _, f := range facts(r) {
		bag.Add(f.name, f.value)
	}
	if r.Output != "" {
		bag.Add("output", r.Output)
	}
	run.WithProperties(bag)
	all := sarifreport.NewV210Report()
	all.AddRun(run)
	return all.PrettyWrite(w)
}

// message is a text that is never empty, as SARIF demands.
func message(text, otherwise string) string {
	if strings.TrimSpace(text) == "" {
		return otherwise
	}
	return text
}

func location(f validation.Finding, root string) *sarif.Location {
	place := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewArtifactLocation().WithURI(uri(f.File, root)))
	if f.Line > 0 {
		region := sarif.NewRegion().WithStartLine(f.Line)
		if f.Column > 0 {
			region.WithStartColumn(f.Column)
		}
		if f.EndLine >= f.Line {
			region.WithEndLine(f.EndLine)
			if f.EndColumn > 0 && (f.EndLine > f.Line || f.EndColumn >= f.Column) {
				region.WithEndColumn(f.EndColumn)
			}
		}
		place.WithRegion(region)
	}
	return sarif.NewLocationWithPhysicalLocation(place)
}

func uri(file, root string) string {
	if root == "" {
		return (&url.URL{Path: file}).String()
	}
	return (&url.URL{Scheme: "file", Path: path.Join(filepath.ToSlash(root), file)}).String()
}
