// Package embed fills embedding spaces: passages that have no vector yet get
// one, and when the configured model changes, a new space is filled beside the
// one that is searched and then takes its place.
//
// What there is to do stands in the tables: passages without a row in a space.
// A worker that dies leaves a lease that runs out, and nothing else.
package embed

import (
	"path"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
)

// maxBytes is as much of a passage as models read, and more.
const maxBytes = 6000

// Text is what a model is given of a passage: where it stands, then what it
// says. The name of a file, which is the title of those that have none, says
// little, and a program's names are in the heading.
func Text(kind, title, heading, text string) string {
	about := heading
	named := path.Ext(title) != "" && !strings.Contains(title, " ")
	if kind != rag.PassageCode && !named && !strings.Contains(heading, title) {
		about = strings.Trim(title+" > "+heading, " >")
	}
	if about != "" {
		text = about + "\n" + text
	}
	if len(text) > maxBytes {
		text = text[:maxBytes]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return text
}

// englishOnly are models that read other languages letter by letter at best.
var englishOnly = []string{"minilm-l6", "minilm-l12-v2", "-en-v1", "e5-small-v2", "e5-base-v2", "e5-large-v2"}

// foreign is what is left of the weight where a model doesn't know the
// question's language: then words tell more.
const foreign = 0.2

// WeightFor is what the cosine of a space counts for a question, whose language
// is not known to be another than English unless other says so.
func WeightFor(model string, weight float64, other bool) float64 {
	if !other || strings.Contains(model, "multilingual") {
		return weight
	}
	for _, name := range englishOnly {
		if strings.Contains(strings.ToLower(model), name) {
			return weight * foreign
		}
	}
	return weight
}

// DefaultWeight is what the cosine counts of models that were not measured.
const DefaultWeight = 1.5

// weights are what the cosine of known models counts, beside 1 for words. They
// are tuned on cosqa-dev alone (eval/README.md): more still gains a little there,
// but a set where words do better than meaning would lose by it.
var weights = []struct {
	model  string
	weight float64
}{
	{"multilingual-e5", 2},
	{"all-minilm", 2},
	{"bge-small-en", 2},
}

// Weight is what the cosine of a space counts at first.
func Weight(s llm.Space) float64 {
	for _, w := range weights {
		if strings.Contains(strings.ToLower(s.Model), w.model) {
			return w.weight
		}
	}
	return DefaultWeight
}
