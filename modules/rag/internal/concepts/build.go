// Package concepts makes a course's concept graph of what its documents say of
// themselves. The same documents give the same graph, whatever the order in
// which they came.
package concepts

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goals-tracker/tracker/modules/rag"
)

// Source is what is known of a document.
type Source struct {
	rag.GraphDocument
	Meta rag.Meta
	// Practice are the document's sections that are exercises; an exercise's own
	// statement has none.
	Practice []string
}

// Bounds of a graph. A course that goes beyond them has its last documents'
// edges left out, and Build says so.
const (
	maxConcepts = 5_000
	maxEdges    = 50_000
	// maxName is the longest name of a concept, in characters: what is longer is
	// a sentence.
	maxName = 80
	// maxHeading bounds a section's name as it stands in an edge.
	maxHeading = 200
)

// Order sorts documents into the course's order: units by number with their
// exercises after them, then the others by path.
func Order(a, b rag.GraphDocument) int {
	return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Path, b.Path))
}

func place(d rag.GraphDocument) int {
	if d.Unit == 0 {
		return 1 << 30
	}
	if d.Exercise {
		return 2*d.Unit + 1
	}
	return 2 * d.Unit
}

// Build makes the graph; full is set when the course names more than a graph
// holds.
func Build(courseID string, sources []Source) (g rag.Graph, full bool) {
	sources = slices.Clone(sources)
	slices.SortFunc(sources, func(a, b Source) int { return Order(a.GraphDocument, b.GraphDocument) })
	b := builder{known: map[string]int{}, first: map[string]int{}, seen: map[rag.ConceptEdge]bool{}, titles: map[string][]string{}}
	b.graph.CourseID = courseID
	for _, s := range sources {
		if !s.Exercise && len(s.Meta.Concepts) > 0 {
			b.titles[rag.ConceptKey(s.Title)] = s.Meta.Concepts
		}
	}
	// What is taught has its place where it is taught first, not where another
	// document asks for it early.
	for i, s := range sources {
		b.taught(i, s)
	}
	for i, s := range sources {
		b.document(i, s)
	}
	b.rank()
	b.graph.Cycles = breakCycles(&b.graph)
	order(&b.graph)
	Sort(&b.graph)
	return b.graph, b.full
}

type builder struct {
	graph rag.Graph
	// known is the place of a concept in graph.Concepts, by key.
	known map[string]int
	// first is the document that has a concept first: teaches it, where one does.
	first map[string]int
	seen  map[rag.ConceptEdge]bool
	// titles are what the lessons of that title teach, by the title's key.
	titles map[string][]string
	full   bool
}

func (b *builder) taught(i int, s Source) {
	if s.Exercise {
		return
	}
	for _, name := range s.Meta.Concepts {
		if key, ok := b.concept(name, i); ok && !b.graph.Concepts[b.known[key]].Taught {
			c := &b.graph.Concepts[b.known[key]]
			c.Taught, c.Unit = true, s.Unit
		}
	}
}

// rank sorts concepts as the course has them: those that a document only
// mentions come before what it teaches.
func (b *builder) rank() {
	slices.SortStableFunc(b.graph.Concepts, func(x, y rag.Concept) int {
		return cmp.Or(cmp.Compare(b.first[x.Key], b.first[y.Key]), cmp.Compare(bit(x.Taught), bit(y.Taught)))
	})
}

func bit(set bool) int {
	if set {
		return 1
	}
	return 0
}

func (b *builder) document(i int, s Source) {
	edges := len(b.graph.Edges)
	required := b.required(s)
	for _, name := range required {
		if key, ok := b.concept(name, i); ok {
			b.edge(rag.ConceptEdge{Kind: rag.EdgeRequires, Concept: key, DocumentID: s.ID})
		}
	}
	for _, name := range s.Meta.Concepts {
		key, ok := b.concept(name, i)
		if !ok {
			continue
		}
		if s.Exercise {
			b.edge(rag.ConceptEdge{Kind: rag.EdgePractises, Concept: key, DocumentID: s.ID})
			continue
		}
		b.edge(rag.ConceptEdge{Kind: rag.EdgeTeaches, Concept: key, DocumentID: s.ID})
		for _, name := range required {
			if needs := rag.ConceptKey(name); needs != key && b.has(needs) {
				b.edge(rag.ConceptEdge{Kind: rag.EdgePrerequisite, Concept: key, Needs: needs, DocumentID: s.ID})
			}
		}
	}
	b.sections(s)
	if len(b.graph.Edges) > edges {
		b.graph.Documents = append(b.graph.Documents, s.GraphDocument)
	}
}

// required are the concepts that a document presupposes; a lesson that it names
// stands for all that the lesson teaches.
func (b *builder) required(s Source) []string {
	var names []string
	for _, name := range s.Meta.Prerequisites {
		if taught, ok := b.titles[rag.ConceptKey(name)]; ok && rag.ConceptKey(name) != rag.ConceptKey(s.Title) {
			names = append(names, taught...)
			continue
		}
		names = append(names, name)
	}
	return names
}

// sections are a lesson's own exercises: each practises the concepts that its
// own heading names, or else all that the lesson teaches.
func (b *builder) sections(s Source) {
	for _, heading := range s.Practice {
		last := heading[strings.LastIndex(heading, " > ")+1:]
		about := " " + rag.ConceptKey(strings.TrimPrefix(last, "> ")) + " "
		var named, all []string
		for _, name := range s.Meta.Concepts {
			key := rag.ConceptKey(name)
			if !b.has(key) {
				continue
			}
			all = append(all, key)
			if strings.Contains(about, " "+key+" ") {
				named = append(named, key)
			}
		}
		if len(named) == 0 {
			named = all
		}
		for _, key := range named {
			b.edge(rag.ConceptEdge{Kind: rag.EdgePractises, Concept: key, DocumentID: s.ID, Heading: short(heading, maxHeading)})
		}
	}
}

func (b *builder) has(key string) bool { _, ok := b.known[key]; return ok }

// concept finds a concept or adds it; ok is false for what is no name of one.
func (b *builder) concept(name string, document int) (key string, ok bool) {
	name = strings.Join(strings.Fields(name), " ")
	key = rag.ConceptKey(name)
	if key == "" || utf8.RuneCountInString(name) > maxName {
		return "", false
	}
	if b.has(key) {
		return key, true
	}
	if len(b.graph.Concepts) >= maxConcepts {
		b.full = true
		return "", false
	}
	b.known[key], b.first[key] = len(b.graph.Concepts), document
	b.graph.Concepts = append(b.graph.Concepts, rag.Concept{Key: key, Name: name})
	return key, true
}

func (b *builder) edge(e rag.ConceptEdge) {
	if b.seen[e] {
		return
	}
	if len(b.graph.Edges) >= maxEdges {
		b.full = true
		return
	}
	b.seen[e] = true
	b.graph.Edges = append(b.graph.Edges, e)
}

var kinds = []rag.EdgeKind{rag.EdgePrerequisite, rag.EdgeTeaches, rag.EdgePractises, rag.EdgeRequires}

// Sort puts a graph's edges in their order: by concept, kind and document, whole
// exercises before sections of lessons.
func Sort(g *rag.Graph) {
	concept, document := map[string]int{}, map[string]int{}
	for _, c := range g.Concepts {
		concept[c.Key] = c.Position
	}
	for i, d := range g.Documents {
		document[d.ID] = i
	}
	part := func(e rag.ConceptEdge) int { return bit(e.Heading != "") }
	slices.SortFunc(g.Edges, func(x, y rag.ConceptEdge) int {
		return cmp.Or(
			cmp.Compare(concept[x.Concept], concept[y.Concept]),
			cmp.Compare(slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind)),
			cmp.Compare(part(x), part(y)),
			cmp.Compare(document[x.DocumentID], document[y.DocumentID]),
			cmp.Compare(concept[x.Needs], concept[y.Needs]),
			cmp.Compare(x.Heading, y.Heading),
		)
	})
}

func short(s string, n int) string {
	if utf8.RuneCountInString(s) > n {
		return string([]rune(s)[:n])
	}
	return s
}
