package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Dialect says whose tokens are meant.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Kind is what a token is.
type Kind int

// The kinds of tokens. Space and comments are none.
const (
	Word   Kind = iota // a keyword or a name
	Quoted             // a name in quotes
	Text               // a string
	Number
	Symbol
)

// Token is a part of the text; Start and End are offsets in bytes.
type Token struct {
	Kind       Kind
	Text       string
	Start, End int
}

// Is says whether the token is that keyword, in any case.
func (t Token) Is(keyword string) bool { return t.Kind == Word && strings.EqualFold(t.Text, keyword) }

// Name is what the token names, without quotes.
func (t Token) Name() string {
	if t.Kind != Quoted || len(t.Text) < 2 {
		return t.Text
	}
	q := t.Text[:1]
	inner := t.Text[1 : len(t.Text)-1]
	if q == "[" {
		return inner
	}
	return strings.ReplaceAll(inner, q+q, q)
}

// Scan returns the tokens of a text, in order. What has no end, such as a string
// without its closing quote, ends with the text.
func Scan(text string, d Dialect) []Token {
	var out []Token
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if unicode.IsSpace(r) || r == '\ufeff' {
			i += size
			continue
		}
		if n := comment(text[i:], d); n > 0 {
			i += n
			continue
		}
		kind, n := token(text[i:], r, size, d)
		out = append(out, Token{Kind: kind, Text: text[i : i+n], Start: i, End: i + n})
		i += n
	}
	return out
}

// comment returns the length of the comment that the text begins with, or 0.
func comment(s string, d Dialect) int {
	switch {
	case strings.HasPrefix(s, "--"):
		if n := strings.IndexByte(s, '\n'); n >= 0 {
			return n
		}
		return len(s)
	case strings.HasPrefix(s, "/*"):
		depth := 1
		for i := 2; i < len(s); i++ {
			switch {
			case strings.HasPrefix(s[i:], "*/"):
				depth--
				i++
				if depth == 0 {
					return i + 1
				}
			case d == Postgres && strings.HasPrefix(s[i:], "/*"):
				depth++
				i++
			}
		}
		return len(s)
	}
	return 0
}

func token(s string, r rune, size int, d Dialect) (Kind, int) {
	if n := literal(s, r, d); n > 0 {
		return Text, n
	}
	if n := name(s, r, d); n > 0 {
		return Quoted, n
	}
	switch {
	case r == '$' && d == Postgres:
		return Symbol, 1
	case r >= '0' && r <= '9', r == '.' && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		return Number, run(s, func(r rune) bool { return isWord(r) || r == '.' })
	case isWord(r):
		return Word, run(s, isWord)
	}
	for _, op := range []string{"<>", "!=", "<=", ">=", "==", "||", "::", "->>", "->"} {
		if strings.HasPrefix(s, op) {
			return Symbol, len(op)
		}
	}
	return Symbol, size
}

// literal returns the length of the string that the text begins with, or 0.
func literal(s string, r rune, d Dialect) int {
	marked := strings.HasPrefix(s[1:], "'")
	switch {
	case r == '\'':
		return quoted(s, '\'', false)
	case marked && d == Postgres && (r == 'e' || r == 'E'):
		return 1 + quoted(s[1:], '\'', true)
	case marked && d == SQLite && (r == 'x' || r == 'X'):
		return 1 + quoted(s[1:], '\'', false)
	case r == '$' && d == Postgres:
		return dollar(s)
	}
	return 0
}

// name returns the length of the quoted name that the text begins with, or 0.
func name(s string, r rune, d Dialect) int {
	switch {
	case r == '"', r == '`' && d == SQLite:
		return quoted(s, byte(r), false)
	case r == '[' && d == SQLite:
		if n := strings.IndexByte(s, ']'); n >= 0 {
			return n + 1
		}
		return len(s)
	}
	return 0
}

func isWord(r rune) bool {
	return r == '_' || r == '$' || r > 127 && r != utf8.RuneError && !unicode.IsSpace(r) || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func run(s string, in func(rune) bool) int {
	for i, r := range s {
		if !in(r) {
			return i
		}
	}
	return len(s)
}

// quoted returns the length of a quoted part; the quote is doubled inside, or
// escaped where backslashes count.
func quoted(s string, quote byte, backslash bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case backslash && s[i] == '\\':
			i++
		case s[i] != quote:
		case i+1 < len(s) && s[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return len(s)
}

// dollar returns the length of $tag$…$tag$, or 0 when that is none.
func dollar(s string) int {
	n := 1 + run(s[1:], func(r rune) bool { return r != '$' && isWord(r) })
	if n >= len(s) || s[n] != '$' || n > 1 && s[1] >= '0' && s[1] <= '9' {
		return 0
	}
	tag := s[:n+1]
	if end := strings.Index(s[len(tag):], tag); end >= 0 {
		return end + 2*len(tag)
	}
	return len(s)
}
