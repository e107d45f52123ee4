package analyze

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// token is a word, or an identifier: its dotted parts, each in its words.
// "os.readFile" is {{"os"}, {"read", "File"}}.
type token struct{ parts [][]string }

// scan cuts text into tokens.
func scan(text string, emit func(token)) {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !isWord(r) {
			i += size
			continue
		}
		end := i
		var parts [][]string
		for {
			start := end
			end = wordEnd(text, start)
			var word string
			word, end = signs(text, start, end)
			if words := split(word); len(words) > 0 {
				parts = append(parts, words)
			}
			if !dotAndWord(text, end) {
				break
			}
			end++
		}
		i = end
		if isNumber(parts) {
			parts = [][]string{{joinNumber(parts)}}
		}
		if len(parts) > 0 {
			emit(token{parts})
		}
	}
}

func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

func wordEnd(text string, at int) int {
	for at < len(text) {
		r, size := utf8.DecodeRuneInString(text[at:])
		if !isWord(r) {
			break
		}
		at += size
	}
	return at
}

func dotAndWord(text string, at int) bool {
	if at >= len(text) || text[at] != '.' {
		return false
	}
	r, _ := utf8.DecodeRuneInString(text[at+1:])
	return isWord(r) && at+1 < len(text)
}

// signs reads what a word takes along: C++ and C# their signs, a word what
// stands behind its apostrophe. next is where it ends.
func signs(text string, start, end int) (word string, next int) {
	rest := text[end:]
	if end-start > 1 || !strings.HasPrefix(rest, "++") && !strings.HasPrefix(rest, "#") {
		return apostrophe(text, start, end)
	}
	for next = end; next < len(text) && (text[next] == '+' || text[next] == '#'); next++ {
	}
	return text[start:next], next
}

// apostrophe reads "don't" as dont and "Python's" as Python; a single letter
// before a quote is a prefix of a literal: f'…'.
func apostrophe(text string, start, end int) (word string, next int) {
	for _, mark := range []string{"'", "’"} {
		if end-start < 2 || !strings.HasPrefix(text[end:], mark) {
			continue
		}
		tail := end + len(mark)
		stop := wordEnd(text, tail)
		switch rest := text[tail:stop]; {
		case rest == "s":
			return text[start:end], stop
		case len(rest) > 0 && len(rest) <= 2:
			return text[start:end] + rest, stop
		}
	}
	return text[start:end], end
}

// split cuts an identifier into its words: snake_case, camelCase, HTTPServer.
func split(word string) []string {
	var words []string
	for _, piece := range strings.FieldsFunc(word, func(r rune) bool { return r == '_' }) {
		runes := []rune(piece)
		start := 0
		for i := 1; i < len(runes); i++ {
			up := unicode.IsUpper(runes[i])
			switch {
			case up && unicode.IsLower(runes[i-1]):
			case up && unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1]) && i-start > 1:
			default:
				continue
			}
			words = append(words, string(runes[start:i]))
			start = i
		}
		words = append(words, string(runes[start:]))
	}
	return words
}

// isNumber reports whether all is digits: 3.11 is one thing.
func isNumber(parts [][]string) bool {
	for _, words := range parts {
		for _, w := range words {
			if strings.Trim(w, "0123456789") != "" {
				return false
			}
		}
	}
	return len(parts) > 0
}

func joinNumber(parts [][]string) string {
	all := make([]string, len(parts))
	for i, words := range parts {
		all[i] = strings.Join(words, "")
	}
	return strings.Join(all, ".")
}

// Fold takes accents off: "función" and "funcion" are one word.
func Fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	var out strings.Builder
	for _, r := range norm.NFD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			out.WriteRune(r)
		}
	}
	return out.String()
}
