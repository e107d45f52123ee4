package evidence

import (
	"strings"

	"github.com/goals-tracker/tracker/modules/tasks"
)

// Gives says why a learner may not be told a text, whatever it rests on; "" when
// they may. What it quotes of passages that still say so is the course's own
// word, and whole is false for a worked example, whose code is judged line by
// line: it may be long.
func (b Base) Gives(text string, cites []tasks.Citation, whole bool) string {
	for _, c := range cites {
		if Unbacked(c, b.Passages) == "" {
			text = strings.ReplaceAll(text, "> "+strings.ReplaceAll(c.Quote, "\n", "\n> "), "")
			text = strings.ReplaceAll(text, c.Quote, "")
		}
	}
	if strings.TrimSpace(text) == "" {
		return ""
	}
	if whole {
		return b.gives(text)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if why := b.gives(line); why != "" {
			return why
		}
	}
	return ""
}
