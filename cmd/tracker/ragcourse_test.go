package main

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/rag"
)

func TestAConceptGraphIsShownToPeopleAndDrawn(t *testing.T) {
	g := rag.Graph{
		Concepts: []rag.Concept{
			{Key: rag.ConceptKey("variables"), Name: "variables", Position: 1},
			{Key: rag.ConceptKey("loops"), Name: `"loops"`, Position: 2, Unit: 3, Taught: true},
		},
		Edges: []rag.ConceptEdge{
			{Kind: rag.EdgePrerequisite, Concept: rag.ConceptKey("loops"), Needs: rag.ConceptKey("variables"), DocumentID: "a"},
			{Kind: rag.EdgePrerequisite, Concept: rag.ConceptKey("variables"), Needs: rag.ConceptKey("loops"), DocumentID: "b", Broken: true},
			{Kind: rag.EdgePractises, Concept: rag.ConceptKey("loops"), DocumentID: "c"},
		},
		Cycles: []rag.Cycle{{Concepts: []string{"loops", "variables"}, Path: "b.md"}},
	}
	for format, want := range map[string][]string{
		"text":    {"presupposed", "unit 3", "exercises: 1  needs: variables", "a cycle of prerequisites: loops → variables → loops; what b.md says"},
		"mermaid": {"flowchart LR", `c2["'loops'"]`, "c1 --> c2"},
		"json":    {`"position": 2`},
	} {
		var out strings.Builder
		if err := printGraph(&out, g, format); err != nil {
			t.Fatal(err)
		}
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s lacks %q:\n%s", format, text, out.String())
			}
		}
		if format == "mermaid" && strings.Contains(out.String(), "c2 --> c1") {
			t.Error("a broken prerequisite is drawn")
		}
	}
}
