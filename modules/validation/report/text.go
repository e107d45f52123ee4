package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

var marks = map[judging.TestStatus]string{
	judging.StatusPass: "ok  ", judging.StatusFail: "FAIL", judging.StatusError: "ERR ", judging.StatusSkip: "skip",
}

func writeText(w io.Writer, r validation.Report, o Options) error {
	out := bufio.NewWriter(w)
	for _, t := range r.Tests {
		fmt.Fprintf(out, "%s %s\n", marks[t.Status], plain(nameOf(t)))
		if t.Status == judging.StatusPass || t.Status == judging.StatusSkip {
			continue
		}
		indent(out, t.Message.In(o.Language))
		if t.Expected != "" || t.Actual != "" {
			indent(out, "expected: "+t.Expected)
			indent(out, "actual:   "+t.Actual)
		}
		if t.Output != "" {
			indent(out, "it printed:")
			indent(out, t.Output)
		}
	}
	for _, f := range r.Findings {
		place := plain(f.File)
		if f.Line > 0 {
			place += fmt.Sprintf(":%d", f.Line)
			if f.Column > 0 {
				place += fmt.Sprintf(":%d", f.Column)
			}
		}
		if place != "" {
			place += ": "
		}
		fmt.Fprintf(out, "%s%s: %s (%s)\n", place, f.Severity, plain(f.Message.In(o.Language)), plain(f.Rule))
		indent(out, f.Excerpt)
	}
	if r.Output != "" {
		fmt.Fprintln(out, "it printed:")
		indent(out, r.Output)
	}
	passed, total := r.Counts()
	counts := fmt.Sprintf("%d of %d tests passed, ", passed, total)
	if s := r.Summary.In(o.Language); s != "" {
		fmt.Fprintln(out, plain(s))
		counts = "" // the plugin knows better which tests hold others
	}
	if r.Problem != "" {
		fmt.Fprintln(out, "problem of the task:")
		indent(out, r.Problem)
	}
	if all := facts(r); len(all) > 0 {
		words := make([]string, len(all))
		for i, f := range all {
			words[i] = f.name + "=" + plain(f.value)
		}
		fmt.Fprintln(out, strings.Join(words, ", "))
	}
	findings := "findings"
	if len(r.Findings) == 1 {
		findings = "finding"
	}
	fmt.Fprintf(out, "%s: %sscore %.2f, %d %s, %d ms\n", r.Verdict, counts, r.Score, len(r.Findings), findings, o.Took.Milliseconds())
	return out.Flush()
}

func indent(w io.Writer, text string) {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(w, "     %s\n", plain(line))
	}
}

// plain shows what would steer a terminal instead of sending it there.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return '\uFFFD'
		}
		return r
	}, s)
}
