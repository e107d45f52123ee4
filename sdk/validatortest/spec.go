package validatortest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// Spec checks what every validator owes its host: a valid description, the
// same report for the same work, errors that are about itself and reports that
// are about the learner, whatever is handed in.
func Spec(t *testing.T, spec *validator.Spec) {
	t.Helper()
	if err := spec.Validate(); err != nil {
		t.Fatal(err)
	}
	suite(t, Connect(t, spec))
}

// suite runs on any judge, in this process or another.
func suite(t *testing.T, judge judging.Judge) {
	t.Helper()
	p := open(t, judge)
	lang := p.desc.Languages[0]
	t.Run("says the same of itself each time", func(t *testing.T) {
		again, err := judge.Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(p.desc, again); d != "" {
			t.Error(d)
		}
	})
	t.Run("refuses options that it does not know", func(t *testing.T) {
		task := judging.Task{Options: []byte(`{"no such option of any plugin":1}`)}
		if _, _, err := p.run(t.Context(), file(lang, "x\n"), task); err == nil {
			t.Error("a task with an unknown option must be an error, so that a teacher sees the mistake")
		}
	})
	t.Run("judges whatever is handed in", func(t *testing.T) {
		for name, sub := range odd(lang) {
			t.Run(name, func(t *testing.T) {
				r, _, err := p.run(t.Context(), sub, judging.Task{})
				if err != nil {
					t.Fatalf("a submission must never make a plugin fail: %v", err)
				}
				checkTexts(t, r)
			})
		}
	})
	t.Run("gives the same report for the same work", func(t *testing.T) {
		sub := file(lang, "x = 1\n")
		first, _, err := p.run(t.Context(), sub, judging.Task{})
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := p.run(t.Context(), sub, judging.Task{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(render(first), render(second)); d != "" {
			t.Error(d)
		}
	})
	t.Run("answers Judge without results and with a lost step", func(t *testing.T) {
		req := judging.PlanRequest{Submission: file(lang, "x = 1\n"), Toolchain: p.toolchain, Nonce: "n"}
		steps, err := judge.Plan(t.Context(), &req)
		if err != nil {
			t.Fatal(err)
		}
		lost := make([]judging.StepResult, 0, len(steps))
		for _, s := range steps {
			lost = append(lost, judging.StepResult{StepID: s.ID, Outcome: judging.OutcomeKilled})
		}
		for _, results := range [][]judging.StepResult{nil, lost} {
			ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
			d, err := judge.Judge(ctx, &judging.JudgeRequest{PlanRequest: req, Results: results, Round: 1})
			cancel()
			if err == nil && len(steps) > 0 && d.Report != nil && d.Report.Verdict == judging.VerdictPassed {
				t.Errorf("with %d of %d results the verdict is passed", len(results), len(steps))
			}
		}
	})
}

func file(lang judging.Language, content string) judging.Submission {
	return judging.Submission{Language: lang.Name, Files: []judging.File{{Path: lang.DefaultFile, Content: []byte(content)}}}
}

// odd are submissions that learners do hand in, on purpose or not.
func odd(lang judging.Language) map[string]judging.Submission {
	many := judging.Submission{Language: lang.Name}
	for i := range 300 {
		many.Files = append(many.Files, judging.File{Path: fmt.Sprintf("d%d/f%d%s", i%7, i, lang.Extensions[0]), Content: []byte("\n")})
	}
	return map[string]judging.Submission{
		"nothing at all": {Language: lang.Name},
		"an empty file":  file(lang, ""),
		"binary":         file(lang, "\x00\x01\xff\xfe\x80ELF"),
		"one long line":  file(lang, strings.Repeat("(", 100_000)),
		"carriage returns, a byte order mark and no newline at the end": file(lang, "\ufeffx = 1\r\ny = 2\rz = 3"),
		"names that look like options and shell": {Language: lang.Name, Files: []judging.File{
			{Path: "-rf" + lang.Extensions[0]}, {Path: "$(reboot)" + lang.Extensions[0]}, {Path: "a b/ñandú" + lang.Extensions[0]}, {Path: "x\ny" + lang.Extensions[0]},
		}},
		"a name with the wrong extension": {Language: lang.Name, Files: []judging.File{{Path: "README", Content: []byte("hello\n")}}},
		"many files":                      many,
	}
}

// checkTexts demands both languages wherever there is a text.
func checkTexts(t *testing.T, r *judging.Report) {
	t.Helper()
	check := func(where string, m judging.Message) {
		if m.IsZero() {
			return
		}
		for _, l := range []string{"en", "es"} {
			if m.Text[l] == "" {
				t.Errorf("%s has no text in %q: %+v", where, l, m)
			}
		}
		if m.ID == "" {
			t.Errorf("%s has no id: %+v", where, m)
		}
	}
	check("summary", r.Summary)
	for _, x := range r.Tests {
		check("test "+x.ID, x.Message)
	}
	for _, f := range r.Findings {
		check("finding "+f.Rule, f.Message)
		if f.Message.IsZero() || f.Rule == "" {
			t.Errorf("a finding needs a rule and a message: %+v", f)
		}
	}
}
