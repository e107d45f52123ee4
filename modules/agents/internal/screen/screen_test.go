package screen_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/agents/internal/screen"
)

func TestAnswersHoldNothingInvisibleNorAnythingToFollow(t *testing.T) {
	for text, want := range map[string]string{
		"plain *Markdown* stays\n\n- a":               "plain *Markdown* stays\n\n- a",
		"see [the docs](https://evil.example/?q=1)":   "see the docs",
		"![pixel](https://evil.example/p.png) hi":     "pixel hi",
		"go to https://evil.example now":              "go to  now",
		"<img src=x onerror=alert(1)>hi<!-- note -->": "hi",
		"zero\u200bwidth \u202eright to left\x00\x1b": "zerowidth right to left",
		"command:workbench.action.run x":              "x",
	} {
		if got := screen.Answer(text, 1000); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := screen.Answer(strings.Repeat("word ", 100), 20); utf8.RuneCountInString(got) > 20 || !strings.HasSuffix(got, "…") {
		t.Errorf("cut to %q", got)
	}
}

func TestCopiedLinesAreCounted(t *testing.T) {
	code := "def f(items):\n    best = 0\n    for item in items:\n        best = max(best, item)\n    return best\n"
	if n := screen.Copies("Try\n```\nfor item in   items:\n    best = max(best, item)\n```", code); n != 2 {
		t.Errorf("%d lines", n)
	}
	if n := screen.Copies("Look at how the items are compared.", code); n != 0 {
		t.Errorf("%d lines", n)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add("a [b](c) <d> \xff")
	f.Fuzz(func(t *testing.T, text string) {
		got := screen.Answer(text, 50)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > 50 || strings.ContainsAny(got, "\x00\u200b") {
			t.Errorf("%q became %q", text, got)
		}
	})
}
