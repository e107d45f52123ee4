package sqltext

import (
	"sort"
	"strings"
	"unicode/utf8"
)

// Statement is one statement of a text, without its semicolon.
type Statement struct {
	Text   string
	Start  int // offset in bytes of the whole text
	Tokens []Token
}

// Split cuts a text into its statements. The body of a trigger or of a function
// (BEGIN … END) belongs to its statement.
func Split(text string, d Dialect) []Statement {
	var out []Statement
	var current []Token
	depth := 0 // of BEGIN and CASE inside of a trigger
	flush := func(end int) {
		if len(current) > 0 {
			start := current[0].Start
			out = append(out, Statement{Text: strings.TrimRight(text[start:end], " \t\r\n"), Start: start, Tokens: current})
		}
		current, depth = nil, 0
	}
	last := 0
	for _, t := range Scan(text, d) {
		if t.Kind == Symbol && t.Text == ";" && depth == 0 {
			flush(t.Start)
			continue
		}
		if hasBody(current) {
			switch {
			case t.Is("BEGIN"), t.Is("CASE"):
				depth++
			case t.Is("END") && depth > 0:
				depth--
			}
		}
		current = append(current, t)
		last = t.End
	}
	flush(last)
	return out
}

// hasBody says whether a statement that begins so may hold semicolons.
func hasBody(tokens []Token) bool {
	if len(tokens) < 2 || !tokens[0].Is("CREATE") {
		return false
	}
	for _, t := range tokens[1:min(len(tokens), 5)] {
		if t.Is("TRIGGER") || t.Is("FUNCTION") || t.Is("PROCEDURE") {
			return true
		}
	}
	return false
}

// Reads says whether the statement only asks.
func (s *Statement) Reads() bool {
	if len(s.Tokens) == 0 {
		return false
	}
	switch first := strings.ToUpper(s.Tokens[0].Text); first {
	case "SELECT", "VALUES", "TABLE", "EXPLAIN", "SHOW", "(":
		return true
	case "WITH":
		for _, t := range s.Tokens {
			if t.Is("INSERT") || t.Is("UPDATE") || t.Is("DELETE") {
				return false
			}
		}
		return true
	}
	return false
}

// Lines finds lines and columns in a text. CR, LF and CR LF end a line.
type Lines struct {
	text   string
	starts []int
}

// NewLines reads where the lines of a text begin.
func NewLines(text string) *Lines {
	l := &Lines{text: text, starts: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' || text[i] == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			l.starts = append(l.starts, i+1)
		}
	}
	return l
}

// Position returns line and column of an offset in bytes, both from 1; columns
// count code points.
func (l *Lines) Position(offset int) (line, column int) {
	offset = max(0, min(offset, len(l.text)))
	line = sort.SearchInts(l.starts, offset+1)
	before := l.text[l.starts[line-1]:offset]
	if line == 1 {
		before = strings.TrimPrefix(before, "\ufeff")
	}
	return line, utf8.RuneCountInString(before) + 1
}

// Line returns the text of a line, from 1.
func (l *Lines) Line(n int) string {
	if n < 1 || n > len(l.starts) {
		return ""
	}
	end := len(l.text)
	if n < len(l.starts) {
		end = l.starts[n]
	}
	return strings.TrimPrefix(strings.TrimRight(l.text[l.starts[n-1]:end], "\r\n"), "\ufeff")
}
