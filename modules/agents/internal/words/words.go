// Package words compares what learners write with what courses teach: content
// words in English or Spanish, by their stems.
package words

import (
	"strings"
	"unicode"

	"github.com/kljensen/snowball/english"
	"github.com/kljensen/snowball/spanish"
)

// Terms are the distinct stems of a text's content words, in their order.
// Function words and what every wish to learn says ("learn", "basics") are left
// out. locale is "en" or "es".
func Terms(text, locale string) []string {
	var terms []string
	seen := map[string]bool{}
	for _, w := range split(text) {
		if term := stem(w, locale); term != "" && !seen[term] {
			seen[term] = true
			terms = append(terms, term)
		}
	}
	return terms
}

// Set is Terms as a set.
func Set(text, locale string) map[string]bool {
	set := map[string]bool{}
	for _, t := range Terms(text, locale) {
		set[t] = true
	}
	return set
}

// Share is how much of a text's content is among the terms, 0 to 1; 0 for a
// text without content.
func Share(text, locale string, terms map[string]bool) float64 {
	all := Terms(text, locale)
	if len(all) == 0 {
		return 0
	}
	n := 0
	for _, t := range all {
		if terms[t] {
			n++
		}
	}
	return float64(n) / float64(len(all))
}

// Overlap counts the terms that a text has of a set.
func Overlap(text, locale string, terms map[string]bool) (n int) {
	for _, t := range Terms(text, locale) {
		if terms[t] {
			n++
		}
	}
	return n
}

func split(text string) []string {
	// A to-do is a todo, and f-strings are fstrings, wherever they are spelt so.
	text = strings.NewReplacer("to-do", "todo", "To-do", "todo", "f-string", "fstring").Replace(text)
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '+' && r != '#'
	})
}

var unaccent = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ü", "u", "à", "a", "è", "e", "ò", "o", "ç", "c")

func stem(word, locale string) string {
	if len([]rune(word)) < 2 && word != "c" && word != "r" || stop[unaccent.Replace(word)] || locale == "es" && word == "todo" {
		return ""
	}
	var s string
	if locale == "es" {
		s = spanish.Stem(word, false)
	} else {
		s = english.Stem(word, false)
	}
	s = unaccent.Replace(s)
	if stop[s] {
		return ""
	}
	return s
}

// stop are words without content for a goal, without accents.
var stop = set(`
a about above after again all also am an and any are as at be because been before being below between both but by can could
did do does doing don down during each few for from further get got had has have having he her here him his how i if in into is it
its just know like ll make me more most my need no not now of off on once only or other our out over own please really same she should
so some such than that the their them then there these they this those through to too under until up use using very want was we were
what when where which while who why will with without would you your
learn learning study studying understand understanding master mastering basic basics beginner beginners introduction intro
fundamentals fundamental course start started starting become better good new first improve practice practise build building create
creating write writing goal small simple well able try things thing already work working
el la los las un una unos unas y o u e de del al a en con por para que se su sus mi mis tu tus me te le les lo es son ser estar esta
este esto estas estos ese esa eso como cuando donde quien cual muy mas menos pero si no ni ya sin sobre entre hasta desde hay ha he
han fue era yo tu el ella nos nosotros ellos quiero quisiera necesito saber conozco tambien toda todos todas algo algun alguna
otro otra poco mucho muchos
aprender aprend estudiar estudi entender entend comprender dominar domin basico basica basicos basicas basic introducción curso
fundamentos principiante principiantes empezar empez cero mejorar mejor practicar practic crear construir escribir escrib hacer hago
objetivo pequeno pequena pequenos sencillo nuevo nueva primer primero cosas cosa`)

func set(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(unaccent.Replace(list)) {
		m[w] = true
	}
	return m
}
