// Package analyze turns text into the terms that are indexed and looked for:
// words stemmed in English or Spanish, accents folded, stop words left out,
// identifiers both whole and in parts. Documents and queries go through the
// same code; a change here is a new Version.
package analyze

import (
	"strings"

	"github.com/kljensen/snowball/english"
	"github.com/kljensen/snowball/spanish"
)

// Version changes when the same text gives other terms, so that what was
// indexed before is indexed anew.
const Version = 1

// Language is a natural language that is understood.
type Language string

// The languages. Unknown is read as either.
const (
	Unknown Language = ""
	English Language = "en"
	Spanish Language = "es"
)

// maxTerm is the longest term kept, in bytes; longer ones are data, not words.
const maxTerm = 64

// Terms are the terms of a text in order, with repetitions. A text of unknown
// language is read as English.
func Terms(text string, lang Language) []string {
	terms := make([]string, 0, len(text)/6)
	scan(text, func(t token) {
		terms = t.terms(lang, terms)
	})
	return terms
}

// Query is what a query looks for: its distinct terms, read in its language or,
// where that can't be told, in both. At most limit terms, the first ones.
func Query(text string, limit int) []string {
	languages := []Language{Detect(text, 2)}
	if languages[0] == Unknown {
		languages = []Language{English, Spanish}
	}
	var terms []string
	seen := map[string]bool{}
	scan(text, func(t token) {
		for _, lang := range languages {
			for _, term := range t.terms(lang, nil) {
				if !seen[term] && len(terms) < limit {
					seen[term] = true
					terms = append(terms, term)
				}
			}
		}
	})
	return terms
}

// terms appends what a token is indexed under.
func (t token) terms(lang Language, to []string) []string {
	if len(t.parts) == 1 && len(t.parts[0]) == 1 {
		return appendWord(to, t.parts[0][0], lang, true)
	}
	var whole []string
	for _, words := range t.parts {
		joined := strings.Join(words, "")
		whole = append(whole, Fold(strings.ToLower(joined)))
		if len(words) == 1 {
			to = appendWord(to, words[0], lang, true)
			continue
		}
		to = appendWord(to, joined, lang, false)
		for _, word := range words {
			to = appendWord(to, word, lang, true)
		}
	}
	if len(whole) > 1 {
		if dotted := strings.Join(whole, "."); len(dotted) <= maxTerm {
			to = append(to, dotted)
		}
	}
	return to
}

func appendWord(to []string, word string, lang Language, stoppable bool) []string {
	word = strings.ToLower(word)
	if stoppable && isStop(word, lang) {
		return to
	}
	term := stem(word, lang)
	if len(term) < 2 || len(term) > maxTerm {
		return to
	}
	return append(to, term)
}

// stem cuts a lower-case word down and folds its accents. People leave accents
// out, so the endings by which Spanish stems are told get theirs back first.
func stem(word string, lang Language) string {
	if len(word) > maxTerm || hasDigit(word) {
		return Fold(word)
	}
	if lang == Spanish {
		for _, end := range [][2]string{{"cion", "ción"}, {"sion", "sión"}} {
			if base, ok := strings.CutSuffix(word, end[0]); ok {
				word = base + end[1]
			}
		}
		// A mark keeps Spanish stems from meeting English words: fil~ is no file.
		// What is no longer than it was is the same in both languages.
		if cut := Fold(spanish.Stem(word, true)); cut != Fold(word) {
			return cut + "~"
		}
		return Fold(word)
	}
	return Fold(english.Stem(word, true))
}

func hasDigit(word string) bool { return strings.ContainsAny(word, "0123456789") }
