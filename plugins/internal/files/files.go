// Package files is about the files of tasks and submissions: which of them can
// lie in a room together, and how findings quote them. It knows no language.
package files

import (
	"path"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// Tree holds the names in a room; true for folders.
type Tree map[string]bool

// Add takes a name in, unless it is unfit or its place is taken.
func (t Tree) Add(name string) bool {
	if judging.CheckPath(name) != nil || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return false
	}
	if _, ok := t[name]; ok {
		return false
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if folder, ok := t[dir]; ok && !folder {
			return false
		}
	}
	t[name] = false
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		t[dir] = true
	}
	return true
}

// Line is a line of the submission, or "".
func Line(sub *validator.Submission, name string, line int) string {
	f := sub.File(name)
	if f == nil || line < 1 {
		return ""
	}
	n := 0
	for text := range strings.Lines(string(f.Content)) {
		if n++; n == line {
			return strings.TrimRight(text, "\r\n")
		}
	}
	return ""
}

// Excerpt is the line, and a caret under the place when the column is known:
// one or more, in code points.
func Excerpt(text string, column int) string {
	if strings.TrimSpace(text) == "" || utf8.RuneCountInString(text) > 200 {
		return ""
	}
	if column < 1 {
		return text
	}
	var pad strings.Builder
	for i, r := range []rune(text) {
		if i >= column-1 {
			break
		}
		if r != '\t' {
			r = ' '
		}
		pad.WriteRune(r)
	}
	return text + "\n" + pad.String() + "^"
}
