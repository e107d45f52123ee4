package mutants

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
	text   // between double quotes, or single ones where they mean the same
	letter // a character between single quotes
	other  // a literal that stays as it is: a regular expression, a raw text
	operator
)

// token is a piece of the source. Comments are none.
type token struct {
	kind       kind
	text       string
	start, end int
	parent     int  // the index of the bracket around it, or -1
	pair       int  // of a bracket: the index of the other; else -1
	fresh      bool // the first of its line
}

var numberStart = regexp.MustCompile(`^(?:0[xXbBoO][0-9a-fA-F_]+\w*|(?:\d[\d_']*(?:\.\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?[A-Za-z_]*\d*)`)

// operators, longest first.
var signs = []string{
	">>>=", "===", "!==", "**=", "...", "..=", "<<=", ">>=", ">>>", "&&=", "||=", "??=", "<=>",
	"==", "!=", "<=", ">=", "&&", "||", "??", "?.", "=>", "->", "::", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "**", "<<", ">>", "..",
}

// reader cuts a source into tokens.
type reader struct {
	l     *Language
	src   string
	at    int
	fresh bool
	out   []token
	open  []int
	bad   bool
}

// read cuts a source into tokens; false when it can't be read.
func (l *Language) read(src string) ([]token, bool) {
	r := &reader{l: l, src: src, fresh: true}
	for r.at < len(src) && !r.bad {
		r.next()
	}
	return r.out, !r.bad && len(r.open) == 0
}

func (r *reader) add(k kind, length int) {
	if length <= 0 || r.at+length > len(r.src) {
		r.bad = true
		return
	}
	parent := -1
	if n := len(r.open); n > 0 {
		parent = r.open[n-1]
	}
	r.out = append(r.out, token{k, r.src[r.at : r.at+length], r.at, r.at + length, parent, -1, r.fresh})
	r.at += length
	r.fresh = false
}

// value says whether what was read last ends a value.
func (r *reader) value() bool {
	return len(r.out) > 0 && r.l.operand(r.out[len(r.out)-1])
}

func (r *reader) next() {
	rest := r.src[r.at:]
	c := rest[0]
	switch {
	case c == '\n':
		r.at++
		r.fresh = true
	case c <= ' ' || strings.HasPrefix(rest, "\ufeff"):
		_, size := utf8.DecodeRuneInString(rest)
		r.at += size
	case strings.HasPrefix(rest, "//") || r.l.Directives && c == '#' && r.fresh:
		for r.at < len(r.src) && r.src[r.at] != '\n' {
			if r.src[r.at] == '\\' {
				r.at++ // which joins lines
			}
			r.at++
		}
		r.at = min(r.at, len(r.src))
	case strings.HasPrefix(rest, "/*"):
		n := comment(rest, r.l.NestedComments)
		if strings.Contains(rest[:n], "\n") {
			r.fresh = true
		}
		r.at += n
	default:
		if r.l.Literal != nil {
			if n := r.l.Literal(rest, r.value()); n > 0 {
				k := other
				if rest[0] == '`' {
					k = text
				}
				r.add(k, n)
				return
			}
		}
		r.plain(rest)
	}
}

// plain reads what all languages have alike.
func (r *reader) plain(rest string) {
	c := rest[0]
	switch {
	case c == '"':
		r.add(text, quotedLength(rest, r.l.LongTexts))
	case c == '\'' && r.l.Letters:
		r.add(letter, quotedLength(rest, false))
	case c == '\'':
		r.add(text, quotedLength(rest, false))
	case numberStart.MatchString(rest):
		r.add(number, len(numberStart.FindString(rest)))
	case nameLength(rest) > 0:
		r.add(name, nameLength(rest))
	case c >= utf8.RuneSelf:
		r.bad = true
	default:
		r.sign(rest)
	}
}

func (r *reader) sign(rest string) {
	length := 1
	for _, s := range signs {
		if strings.HasPrefix(rest, s) {
			length = len(s)
			break
		}
	}
	if length == 2 && rest[:2] == "?." && len(rest) > 2 && rest[2] >= '0' && rest[2] <= '9' {
		length = 1
	}
	switch rest[0] {
	case '(', '[', '{':
		r.add(operator, 1)
		r.open = append(r.open, len(r.out)-1)
	case ')', ']', '}':
		n := len(r.open)
		if n == 0 || map[byte]string{')': "(", ']': "[", '}': "{"}[rest[0]] != r.out[r.open[n-1]].text {
			r.bad = true
			return
		}
		opener := r.open[n-1]
		r.open = r.open[:n-1]
		r.add(operator, 1)
		r.out[opener].pair, r.out[len(r.out)-1].pair = len(r.out)-1, opener
	default:
		r.add(operator, length)
	}
}

// comment is the length of a block comment.
func comment(s string, nested bool) int {
	depth := 0
	for i := 0; i+1 < len(s); i++ {
		switch {
		case s[i:i+2] == "/*" && (nested || depth == 0):
			depth++
			i++
		case s[i:i+2] == "*/":
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// quotedLength is the length of a text that begins with its quote; 0 when it
// does not end, or not on its line where it has to.
func quotedLength(s string, long bool) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case s[0]:
			return i + 1
		case '\n':
			if !long {
				return 0
			}
		}
	}
	return 0
}

func nameLength(s string) int {
	n := 0
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r != '_' && r != '$' && r != '@' && !unicode.IsLetter(r) && (n == 0 || !unicode.IsDigit(r)) {
			break
		}
		n += size
	}
	return n
}
