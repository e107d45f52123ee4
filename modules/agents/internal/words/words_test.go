package words_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/modules/agents/internal/words"
)

func TestTermsAreTheContentOfAGoal(t *testing.T) {
	for _, c := range []struct {
		text, locale string
		want         []string
	}{
		{"Learn the basics of Python loops", "en", []string{"python", "loop"}},
		{"I want to understand while-loops and LOOPING", "en", []string{"loop"}},
		{"Aprender a usar los diccionarios", "es", []string{"usar", "diccionari"}},
		{"Build a to-do list", "en", []string{"todo", "list"}},
		{"¡¿…?!", "es", nil},
		{"C++ and C#", "en", []string{"c++", "c#"}},
	} {
		if diff := cmp.Diff(c.want, words.Terms(c.text, c.locale)); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}

func TestWishesSayWhatIsKnownAndWhatMatters(t *testing.T) {
	for text, want := range map[string]words.Wishes{
		"I know loops already.":                      {Known: []string{"loops already"}},
		"I already know variables, but skip nothing": {Known: []string{"variables", "nothing"}},
		"I'm comfortable with functions; only files": {Known: []string{"functions"}, Focus: []string{"files"}},
		"Ya sé usar los bucles. Solo diccionarios":   {Known: []string{"bucles"}, Focus: []string{"diccionarios"}},
		"I like mornings":                            {},
		"":                                           {},
	} {
		if diff := cmp.Diff(want, words.ReadWishes(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestTheLocaleOfATaskIsThatOfItsWords(t *testing.T) {
	for text, want := range map[string]string{
		"Escribe una función que devuelve la lista de los números": "es",
		"Write a function that returns the list of numbers":        "en", "": "en", "for x in range": "en",
	} {
		if got := words.Locale(text); got != want {
			t.Errorf("%q is %s", text, got)
		}
	}
}
