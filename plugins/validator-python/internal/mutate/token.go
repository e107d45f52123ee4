// Package mutate makes small faulty variants of Python programs, from their
// text alone. It knows tokens and logical lines, not grammar: nothing of a
// program is run or imported.
package mutate

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

type kind int

const (
	name kind = iota
	number
	text // a string of any prefix; an f-string is one token
	operator
	newline // ends a logical line
)

// token is a piece of the source, from byte start to end. Comments and the
// line ends inside of brackets are none.
type token struct {
	kind       kind
	text       string
	start, end int
	line       int // from 1
	depth      int // brackets that are open around it
}

var (
	numberStart = regexp.MustCompile(`^(?:0[xXoObB][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?[jJ]?)`)
	stringStart = regexp.MustCompile(`^(?i:[rbuf]|br|rb|fr|rf)?('''|"""|'|")`)
	// operators, longest first.
	operators = []string{
		"**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", "->", ":=", "+=", "-=", "*=", "/=", "%=", "@=", "&=", "|=", "^=", "**", "//", "<<", ">>",
	}
)

// tokenize reads source; false means that it is not Python that this reader
// understands.
func tokenize(src string) ([]token, bool) {
	var out []token
	line, depth, i := 1, 0, 0
	add := func(k kind, length int) {
		t := src[i : i+length]
		out = append(out, token{k, t, i, i + length, line, depth})
		line += strings.Count(t, "\n")
		i += length
	}
	for i < len(src) {
		c := src[i]
		switch {
		case c == '\n':
			if depth == 0 && len(out) > 0 && out[len(out)-1].kind != newline {
				add(newline, 1)
			} else {
				line++
				i++
			}
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || strings.HasPrefix(src[i:], "\ufeff"):
			_, size := utf8.DecodeRuneInString(src[i:])
			i += size
		case c == '\\' && i+1 < len(src) && (src[i+1] == '\n' || src[i+1] == '\r'):
			i++
			if src[i] == '\r' {
				i++
			}
			if i < len(src) && src[i] == '\n' {
				line++
				i++
			}
		case c == '#':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		default:
			if m := stringStart.FindStringSubmatch(src[i:]); m != nil {
				end := stringEnd(src, i+len(m[0]), m[1])
				if end < 0 {
					return nil, false
				}
				add(text, end-i)
				continue
			}
			if m := numberStart.FindString(src[i:]); m != "" {
				add(number, len(m))
				continue
			}
			if n := nameLength(src[i:]); n > 0 {
				add(name, n)
				continue
			}
			length := 1
			for _, o := range operators {
				if strings.HasPrefix(src[i:], o) {
					length = len(o)
					break
				}
			}
			switch c {
			case '(', '[', '{':
				add(operator, 1)
				depth++
				continue
			case ')', ']', '}':
				if depth == 0 {
					return nil, false
				}
				depth--
			}
			if c >= utf8.RuneSelf {
				return nil, false
			}
			add(operator, length)
		}
	}
	if len(out) > 0 && out[len(out)-1].kind != newline {
		out = append(out, token{kind: newline, start: len(src), end: len(src), line: line})
	}
	return out, depth == 0
}

// stringEnd returns where the string that began before from ends, or -1.
func stringEnd(src string, from int, quote string) int {
	for i := from; i < len(src); i++ {
		switch {
		case src[i] == '\\':
			i++
		case strings.HasPrefix(src[i:], quote):
			return i + len(quote)
		case src[i] == '\n' && len(quote) == 1:
			return -1
		}
	}
	return -1
}

func nameLength(s string) int {
	n := 0
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r != '_' && !unicode.IsLetter(r) && (n == 0 || !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r)) {
			break
		}
		n += size
	}
	return n
}

// statement is a logical line: its tokens, without the newline.
type statement struct {
	tokens []token
	indent int
}

// statements cuts tokens into logical lines and leaves out those whose change
// would prove nothing: imports, decorators, docstrings, and what only runs when
// the file is started as a program.
func statements(src string, tokens []token) []statement {
	var out []statement
	var cur []token
	guard := -1
	for _, t := range tokens {
		if t.kind != newline {
			cur = append(cur, t)
			continue
		}
		s := statement{tokens: cur, indent: indentOf(src, cur[0].start)}
		cur = nil
		if guard >= 0 && s.indent > guard {
			continue
		}
		guard = -1
		first := s.tokens[0]
		switch {
		case first.text == "if" && len(s.tokens) > 1 && s.tokens[1].text == "__name__":
			guard = s.indent
		case first.text == "import", first.text == "from", first.text == "@", first.text == "global", first.text == "nonlocal", first.text == "pass":
		case first.kind == text && len(s.tokens) == 1:
		default:
			out = append(out, s)
		}
	}
	return out
}

// indentOf counts the blanks before a place on its line.
func indentOf(src string, at int) int {
	begin := strings.LastIndexByte(src[:at], '\n') + 1
	return len(src[begin:at]) - len(strings.TrimLeft(src[begin:at], " \t"))
}
