package tutor

import (
	"testing"

	"github.com/goals-tracker/tracker/modules/agents/internal/evidence"
)

func TestOnlyWholeParagraphsThatAreFitAreShownEarly(t *testing.T) {
	s := evidence.Keep("python", "def f(start):\n    for number in range(start, 0, -1):\n        print(number)\n")
	for soFar, want := range map[string]string{
		"Which numbers":                                     "",
		"Which numbers? [P1]\n\nThen":                       "Which numbers?",
		"Fine.\n\nfor number in range(start, 0, -1":         "Fine.",
		"Fine.\n\nfor number in range(start, 0, -1):\n\nso": "",
		"Fine.\n\n```python\nx = 1\n\ny":                    "",
	} {
		if got := fit(s, soFar); got != want {
			t.Errorf("of %q is shown %q, want %q", soFar, got, want)
		}
	}
}
