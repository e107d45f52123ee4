package conform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
)

// render writes a report the way cases hold it: all that a learner sees, and
// nothing that differs from run to run.
func render(r *judging.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "verdict: %s\nscore: %.3g\nintegrity: %s\n", r.Verdict, r.Score, r.Integrity)
	message(&b, "summary", r.Summary)
	for _, t := range r.Tests {
		fmt.Fprintf(&b, "\n%s %s\n", t.Status, t.ID)
		if t.Name != "" && !strings.HasSuffix(t.ID, t.Name) {
			fmt.Fprintf(&b, "  name: %s\n", t.Name)
		}
		if t.TaskID != "" {
			fmt.Fprintf(&b, "  task: %s\n", t.TaskID)
		}
		message(&b, "  ", t.Message)
		block(&b, "  expected", t.Expected)
		block(&b, "  actual", t.Actual)
		block(&b, "  output", t.Output)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "\n%s %s %s:%d:%d\n", f.Severity, f.Rule, f.File, f.Line, f.Column)
		message(&b, "  ", f.Message)
		block(&b, "  excerpt", f.Excerpt)
	}
	if r.Output != "" {
		b.WriteString("\n")
		block(&b, "output", r.Output)
	}
	return b.String()
}

func message(b *strings.Builder, label string, m judging.Message) {
	if m.IsZero() {
		return
	}
	for _, lang := range slices.Sorted(maps.Keys(m.Text)) {
		key := label + " " + lang
		if strings.TrimSpace(label) == "" {
			key = label + lang
		}
		block(b, key, m.Text[lang])
	}
}

// block writes one line behind its label, more lines indented below it.
func block(b *strings.Builder, label, text string) {
	text = strings.TrimRight(text, "\n")
	switch {
	case text == "":
	case !strings.Contains(text, "\n"):
		fmt.Fprintf(b, "%s: %s\n", label, text)
	default:
		fmt.Fprintf(b, "%s:\n", label)
		indent := strings.Repeat(" ", len(label)-len(strings.TrimLeft(label, " "))+2)
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintf(b, "%s\n", strings.TrimRight(indent+"| "+line, " "))
		}
	}
}

// differ shows the lines in which two reports differ.
func differ(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	var out strings.Builder
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	for _, line := range a[max(0, same-2):same] {
		out.WriteString("  " + line + "\n")
	}
	for _, line := range a[same:] {
		out.WriteString("- " + line + "\n")
	}
	for _, line := range b[same:] {
		out.WriteString("+ " + line + "\n")
	}
	return out.String()
}
