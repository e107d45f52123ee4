package concepts_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/concepts"
)

func lesson(unit int, name string, teaches, needs []string) concepts.Source {
	return concepts.Source{
		GraphDocument: rag.GraphDocument{ID: name, Path: fmt.Sprintf("%02d-%s.md", unit, name), Title: name, Unit: unit},
		Meta:          rag.Meta{Unit: unit, Concepts: teaches, Prerequisites: needs},
	}
}

func names(list []rag.Concept) (out []string) {
	for _, c := range list {
		out = append(out, c.Name)
	}
	return out
}

func TestConceptsStandInTheOrderOfTheCourseAfterWhatTheyNeed(t *testing.T) {
	sources := []concepts.Source{
		lesson(3, "Dictionaries", []string{"dictionaries"}, []string{"Lists", "functions", "set theory"}),
		lesson(1, "Values", []string{"values", "variables"}, nil),
		lesson(2, "Lists", []string{"lists", "slicing"}, []string{"value"}),
		lesson(4, "Functions", []string{"functions"}, []string{"variables"}),
	}
	g, full := concepts.Build("c1", sources)
	if full || len(g.Cycles) > 0 {
		t.Fatal(full, g.Cycles)
	}
	want := []string{"values", "variables", "lists", "slicing", "set theory", "functions", "dictionaries"}
	if diff := cmp.Diff(want, names(g.Concepts)); diff != "" {
		t.Error(diff)
	}
	// "Lists" is a lesson's title, so that all it teaches is needed.
	if diff := cmp.Diff([]string{"values", "variables", "lists", "slicing", "set theory", "functions"}, names(g.Prerequisites("Dictionary", "dictionaries"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"values", "variables", "lists", "slicing"}, names(g.UpTo(2))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"values", "variables", "lists", "slicing"}, names(g.UpToDocument("Lists"))); diff != "" {
		t.Error(diff)
	}
	if c, ok := g.Find("Set-Theory"); !ok || c.Taught || c.Unit != 0 {
		t.Errorf("what nobody teaches: %+v, %t", c, ok)
	}
}

func TestACycleIsBrokenAgainstTheCourseOrderAndReported(t *testing.T) {
	g, _ := concepts.Build("c1", []concepts.Source{
		lesson(1, "one", []string{"recursion"}, []string{"stacks"}),
		lesson(2, "two", []string{"functions"}, []string{"recursion"}),
		lesson(3, "three", []string{"stacks"}, []string{"functions"}),
	})
	want := []rag.Cycle{{
		Concepts: []string{"stacks", "functions", "recursion"},
		Dropped: rag.ConceptEdge{Kind: rag.EdgePrerequisite, Concept: rag.ConceptKey("recursion"), Needs: rag.ConceptKey("stacks"),
			DocumentID: "one", Broken: true},
		Path: "01-one.md",
	}}
	if diff := cmp.Diff(want, g.Cycles); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"recursion", "functions", "stacks"}, names(g.Concepts)); diff != "" {
		t.Error(diff)
	}
}

func TestExercisesAndSectionsPractiseConcepts(t *testing.T) {
	exercise := lesson(1, "Receipt", []string{"sums"}, nil)
	exercise.Exercise, exercise.Path = true, "exercises/receipt/exercise.md"
	sums := lesson(1, "Sums", []string{"sums", "rounding"}, nil)
	sums.Practice = []string{"Sums > Exercise", "Sums > Exercise > Rounding"}
	g, _ := concepts.Build("c1", []concepts.Source{exercise, sums})
	var got []string
	for _, e := range g.Practice("sum") {
		got = append(got, e.DocumentID+"|"+e.Heading)
	}
	if diff := cmp.Diff([]string{"Receipt|", "Sums|Sums > Exercise"}, got); diff != "" {
		t.Error(diff)
	}
	// The one exercise names nothing, so it is on all; the other names rounding.
	if got := g.Practice("rounding"); len(got) != 2 || got[1].Heading != "Sums > Exercise > Rounding" {
		t.Errorf("rounding is practised in %v", got)
	}
}

// Whatever documents say, the graph has no cycle, its order holds, and it does
// not depend on the order in which documents came.
func TestAnyCourseMakesAGraphWithoutCycles(t *testing.T) {
	name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h", "one", "two", "las b", ""})
	rapid.Check(t, func(t *rapid.T) {
		var sources []concepts.Source
		for i := range rapid.IntRange(0, 12).Draw(t, "documents") {
			s := lesson(rapid.IntRange(0, 4).Draw(t, "unit"), fmt.Sprintf("document %d", i),
				rapid.SliceOfN(name, 0, 4).Draw(t, "teaches"), rapid.SliceOfN(name, 0, 4).Draw(t, "needs"))
			s.Exercise = rapid.IntRange(0, 4).Draw(t, "exercise") == 0
			sources = append(sources, s)
		}
		g, _ := concepts.Build("c1", sources)
		position := map[string]int{}
		for i, c := range g.Concepts {
			if c.Position != i+1 {
				t.Fatalf("%s has position %d at place %d", c.Name, c.Position, i)
			}
			position[c.Key] = c.Position
		}
		broken := 0
		for _, e := range g.Edges {
			if position[e.Concept] == 0 {
				t.Fatalf("%+v is of no concept", e)
			}
			if e.Broken {
				broken++
			} else if e.Kind == rag.EdgePrerequisite && position[e.Needs] >= position[e.Concept] {
				t.Fatalf("%s comes before %s, which it needs", e.Concept, e.Needs)
			}
		}
		if (broken > 0) != (len(g.Cycles) > 0) {
			t.Fatalf("%d edges are broken, %d cycles reported", broken, len(g.Cycles))
		}
		for _, c := range g.Cycles {
			if len(c.Concepts) < 2 {
				t.Fatalf("a cycle of %v", c.Concepts)
			}
		}
		shuffled := slices.Clone(sources)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		again, _ := concepts.Build("c1", shuffled)
		if diff := cmp.Diff(g, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAKeyOfAKeyIsTheKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rag.ConceptKey(rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zé]{1,9}( [a-zñ]{1,9}){0,3}`)).Draw(t, "name"))
		if again := rag.ConceptKey(key); again != key {
			t.Fatalf("the key of %q is %q", key, again)
		}
	})
	for _, same := range [][]string{
		{"for loops", "For-Loop", "the for loops", "for_loop"},
		{"función", "Funciones", "las funciones", "FUNCION"},
		{"class", "classes", "Class"},
		{"query", "queries"},
		{"listas", "lista", "una lista"},
		{"valor", "valores"},
	} {
		for _, other := range same[1:] {
			if a, b := rag.ConceptKey(same[0]), rag.ConceptKey(other); a != b {
				t.Errorf("%q is %q, %q is %q", same[0], a, other, b)
			}
		}
	}
	if rag.ConceptKey("C++") == rag.ConceptKey("C#") {
		t.Error("C++ is C#")
	}
}

func TestAGraphIsBounded(t *testing.T) {
	var sources []concepts.Source
	for i := range 60 {
		var teaches, needs []string
		for j := range 200 {
			teaches, needs = append(teaches, fmt.Sprintf("t%d %d", i, j)), append(needs, fmt.Sprintf("n%d %d", i, j))
		}
		sources = append(sources, lesson(i, fmt.Sprintf("lesson %d", i), teaches, needs))
	}
	g, full := concepts.Build("c1", sources)
	if !full || len(g.Concepts) > 5_000 || len(g.Edges) > 50_000 {
		t.Errorf("full %t: %d concepts, %d edges", full, len(g.Concepts), len(g.Edges))
	}
}
