package evidence

import "strings"

// Told says why a learner may not be told a text; "" when they may.
func (b Base) Told(text string) string { return b.gives(text) }

// Mentions reports whether a line holds a name, not as a part of a longer one.
func Mentions(line, name string) bool {
	for from := 0; name != ""; {
		at := strings.Index(line[from:], name)
		if at < 0 {
			return false
		}
		at += from
		after := at + len(name)
		if (at == 0 || !isName(line[at-1]) || !isName(name[0])) && (after == len(line) || !isName(line[after]) || !isName(name[len(name)-1])) {
			return true
		}
		from = at + 1
	}
	return false
}
