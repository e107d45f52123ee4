package rag

import (
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/rag/internal/analyze"
)

// Concept is something that a course teaches, practises or takes for granted.
type Concept struct {
	// Key is what it is found under, as ConceptKey makes it of its names.
	Key string `json:"key"`
	// Name is how the course writes it first.
	Name string `json:"name"`
	// Position is its place in the course, from 1: after all that it needs.
	Position int `json:"position"`
	// Unit is the first unit that teaches it; 0 for none.
	Unit int `json:"unit,omitempty"`
	// Taught is false for what the course only presupposes or practises.
	Taught bool `json:"taught"`
}

// EdgeKind is what an edge of the concept graph says.
type EdgeKind string

// The kinds of edges.
const (
	// EdgePrerequisite: Concept needs Needs; the document says so.
	EdgePrerequisite EdgeKind = "prerequisite"
	// EdgeTeaches: the document teaches the concept.
	EdgeTeaches EdgeKind = "teaches"
	// EdgePractises: the document, or the section of it that Heading names, is an
	// exercise on the concept.
	EdgePractises EdgeKind = "practises"
	// EdgeRequires: who reads the document should know the concept.
	EdgeRequires EdgeKind = "requires"
)

// ConceptEdge is an edge of the concept graph.
type ConceptEdge struct {
	Kind EdgeKind `json:"kind"`
	// Concept and Needs are keys; Needs is for EdgePrerequisite only.
	Concept    string `json:"concept"`
	Needs      string `json:"needs,omitempty"`
	DocumentID string `json:"document_id"`
	// Heading names the section that practises; "" is the whole document.
	Heading string `json:"heading,omitempty"`
	// Broken is set for a prerequisite that closed a cycle: it doesn't count.
	Broken bool `json:"broken,omitempty"`
}

// GraphDocument is a document with a part in the concept graph.
type GraphDocument struct {
	ID    string `json:"id"`
	Path  string `json:"path"`
	Title string `json:"title"`
	// Unit is 0 when the document has none.
	Unit int `json:"unit,omitempty"`
	// Exercise is set for the statement of an exercise.
	Exercise bool `json:"exercise,omitempty"`
}

// Cycle is a ring of concepts that need each other, and how it was broken.
type Cycle struct {
	// Concepts are names; each needs the next, the last one the first.
	Concepts []string `json:"concepts"`
	// Dropped is the prerequisite that doesn't count any more: the last concept's
	// need of the first.
	Dropped ConceptEdge `json:"dropped"`
	// Path is the document that asked for it.
	Path string `json:"path"`
}

// Graph is a course's concept graph. It has no cycles: prerequisites that closed
// one are broken and reported. The zero Graph is that of a course that names no
// concepts.
type Graph struct {
	CourseID string `json:"course_id"`
	// Concepts stand in the order in which a learner can meet them.
	Concepts []Concept `json:"concepts"`
	// Documents stand in the course's order: units by number with their exercises
	// after them, then the others by path.
	Documents []GraphDocument `json:"documents"`
	Edges     []ConceptEdge   `json:"edges"`
	Cycles    []Cycle         `json:"cycles,omitempty"`
}

// ConceptKey is what a concept is found under, whatever its number, accents and
// hyphens: "For-Loops" and "for loop" are the same.
func ConceptKey(name string) string {
	words := strings.FieldsFunc(analyze.Fold(strings.ToLower(name)), func(r rune) bool {
		return strings.ContainsRune(" \t\r\n-_/\"'`*().,;:¿?¡!", r)
	})
	for len(words) > 1 && slices.Contains(articles, words[0]) {
		words = words[1:]
	}
	for i, word := range words {
		words[i] = singular(word)
	}
	return strings.Join(words, " ")
}

var articles = []string{"the", "a", "an", "el", "la", "los", "las", "un", "una", "unos", "unas"}

// singular makes one word of an English or Spanish singular and its plural; the
// word need not exist. It goes on until nothing changes, so that the key of a
// key is the key.
func singular(word string) string {
	for {
		before := word
		if len(word) > 3 && !strings.HasSuffix(word, "ss") {
			word = strings.TrimSuffix(word, "s")
		}
		if len(word) > 4 {
			word = strings.TrimSuffix(word, "e")
		}
		if base, ok := strings.CutSuffix(word, "y"); ok && len(base) > 2 {
			word = base + "i"
		}
		if word == before {
			return word
		}
	}
}

// Find finds a concept by any spelling of its name.
func (g *Graph) Find(name string) (Concept, bool) {
	key := ConceptKey(name)
	at := slices.IndexFunc(g.Concepts, func(c Concept) bool { return c.Key == key })
	if at < 0 {
		return Concept{}, false
	}
	return g.Concepts[at], true
}

// Prerequisites are all concepts that the named ones need, directly or through
// others, in order and without the named ones themselves.
func (g *Graph) Prerequisites(names ...string) []Concept {
	named, needed := g.closure(names)
	return g.pick(func(c Concept) bool { return needed[c.Key] && !named[c.Key] })
}

// Reached are the named concepts and all that they need, in order.
func (g *Graph) Reached(names ...string) []Concept {
	named, needed := g.closure(names)
	return g.pick(func(c Concept) bool { return needed[c.Key] || named[c.Key] })
}

// UpTo are the concepts that whoever has worked through a unit has met, in
// order: those that the unit or an earlier one teaches, and all that they need.
func (g *Graph) UpTo(unit int) []Concept {
	var names []string
	for _, c := range g.Concepts {
		if c.Unit > 0 && c.Unit <= unit {
			names = append(names, c.Key)
		}
	}
	return g.Reached(names...)
}

// UpToDocument is UpTo for courses without units: what is taught by the document
// and by those before it in the course's order.
func (g *Graph) UpToDocument(id string) []Concept {
	met := map[string]bool{}
	for _, d := range g.Documents {
		met[d.ID] = true
		if d.ID == id {
			var names []string
			for _, e := range g.Edges {
				if e.Kind == EdgeTeaches && met[e.DocumentID] {
					names = append(names, e.Concept)
				}
			}
			return g.Reached(names...)
		}
	}
	return nil
}

// Practice are the edges to what practises a concept, in the course's order.
func (g *Graph) Practice(name string) []ConceptEdge { return g.of(EdgePractises, name) }

// Lessons are the edges to what teaches a concept, in the course's order.
func (g *Graph) Lessons(name string) []ConceptEdge { return g.of(EdgeTeaches, name) }

// Document finds a document of the graph.
func (g *Graph) Document(id string) (GraphDocument, bool) {
	at := slices.IndexFunc(g.Documents, func(d GraphDocument) bool { return d.ID == id })
	if at < 0 {
		return GraphDocument{}, false
	}
	return g.Documents[at], true
}

func (g *Graph) of(kind EdgeKind, name string) []ConceptEdge {
	key := ConceptKey(name)
	var list []ConceptEdge
	for _, e := range g.Edges {
		if e.Kind == kind && e.Concept == key {
			list = append(list, e)
		}
	}
	return list
}

// closure gives the keys of names, and all keys that they need.
func (g *Graph) closure(names []string) (named, needed map[string]bool) {
	needs := map[string][]string{}
	for _, e := range g.Edges {
		if e.Kind == EdgePrerequisite && !e.Broken {
			needs[e.Concept] = append(needs[e.Concept], e.Needs)
		}
	}
	named, needed = map[string]bool{}, map[string]bool{}
	var open []string
	for _, name := range names {
		key := ConceptKey(name)
		named[key] = true
		open = append(open, key)
	}
	for len(open) > 0 {
		key := open[len(open)-1]
		open = open[:len(open)-1]
		for _, n := range needs[key] {
			if !needed[n] {
				needed[n] = true
				open = append(open, n)
			}
		}
	}
	return named, needed
}

func (g *Graph) pick(keep func(Concept) bool) []Concept {
	var list []Concept
	for _, c := range g.Concepts {
		if keep(c) {
			list = append(list, c)
		}
	}
	return list
}
