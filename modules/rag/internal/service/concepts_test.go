package service_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
	"github.com/goals-tracker/tracker/modules/rag"
)

// writes tells for each row of a table when it was written: xmin changes with
// every write, whatever it writes.
func (b *bundle) writes(query string) map[string]string {
	b.t.Helper()
	rows, err := b.db.Pool().Query(b.t.Context(), query)
	if err != nil {
		b.t.Fatal(err)
	}
	all := map[string]string{}
	var key, version string
	if _, err := pgx.ForEachRow(rows, []any{&key, &version}, func() error { all[key] = version; return nil }); err != nil {
		b.t.Fatal(err)
	}
	return all
}

const (
	conceptRows = `SELECT key, xmin::text FROM rag.concepts`
	edgeRows    = `SELECT concat_ws('|', kind, concept, needs, document_id, heading), xmin::text FROM rag.concept_edges`
	chunkRows   = `SELECT id::text, xmin::text FROM rag.chunks`
	documents   = `SELECT path, xmin::text FROM rag.documents`
	postingRows = `SELECT concat_ws('|', term, chunk), xmin::text FROM rag.postings`
)

// changed are the keys of what was added, removed or written.
func changed(before, after map[string]string) (keys []string) {
	for key, version := range after {
		if before[key] != version {
			keys = append(keys, key)
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			keys = append(keys, "-"+key)
		}
	}
	slices.Sort(keys)
	return keys
}

func TestASampleCourseHasAConceptGraphThatAPlannerCanFollow(t *testing.T) {
	b := setup(t, nil)
	report := b.sample(courses.PythonBasicsEN, "c1")
	g, err := b.Concepts(t.Context(), ada, "c1")
	if err != nil {
		t.Fatal(err)
	}
	if report.Concepts != len(g.Concepts) || len(g.Concepts) < 25 || len(g.Cycles) > 0 || len(report.Cycles) > 0 {
		t.Fatalf("%d concepts, report %+v, cycles %v", len(g.Concepts), report, g.Cycles)
	}
	position := func(name string) int {
		c, ok := g.Find(name)
		if !ok {
			t.Errorf("there is no concept %q", name)
		}
		return c.Position
	}
	if position("variables") >= position("for loops") || position("for loops") >= position("dictionaries") {
		t.Error("variables, for loops and dictionaries are not in this order")
	}
	var needed []string
	for _, c := range g.Prerequisites("dictionaries") {
		needed = append(needed, c.Name)
	}
	if !slices.Contains(needed, "functions") || !slices.Contains(needed, "variables") || slices.Contains(needed, "exceptions") {
		t.Errorf("dictionaries need %v", needed)
	}
	var practised []string
	for _, e := range g.Practice("dictionary") {
		d, _ := g.Document(e.DocumentID)
		practised = append(practised, d.Path)
	}
	if !slices.Contains(practised, "exercises/grade-book/exercise.md") {
		t.Errorf("dictionaries are practised in %v", practised)
	}
	if _, err := b.Concepts(t.Context(), bob, "c1"); !rag.ErrNotYourCourse.Is(err) {
		t.Errorf("a learner of another course gets %v", err)
	}
}

func TestSpanishAndEnglishSectionsAreReadAsTypedNodes(t *testing.T) {
	b := setup(t, nil)
	b.ingest(tess, "c1", true,
		"01-bucles.md", "# Bucles\n\n## Objetivos\n\n- Repetir con `for`.\n\n## Requisitos previos\n\n- Variables\n- [Condiciones](00.md)\n\n## Conceptos\n\n1. bucles\n2. rangos\n\n## Ejercicio 1: rangos\n\nCuenta hasta diez.\n", //nolint:misspell // it is Spanish
		"02-lists.md", "# Lists\n\n## Prerequisites\n\nRanges, loops and variables.\n\n## Key concepts\n\n* lists\n\n## Exercise\n\nMake a list.\n")
	g, err := b.Concepts(t.Context(), ada, "c1")
	if err != nil {
		t.Fatal(err)
	}
	var edges []string
	for _, e := range g.Edges {
		d, _ := g.Document(e.DocumentID)
		edges = append(edges, strings.TrimRight(strings.Join([]string{d.Path[:2], string(e.Kind), e.Concept, e.Needs, e.Heading}, " "), " "))
	}
	slices.Sort(edges)
	want := []string{
		"01 practises rango  Bucles > Ejercicio 1: rangos",
		"01 prerequisite bucl condicion", "01 prerequisite bucl variabl", "01 prerequisite rango condicion", "01 prerequisite rango variabl",
		"01 requires condicion", "01 requires variabl", "01 teaches bucl", "01 teaches rango",
		"02 practises list  Lists > Exercise",
		"02 prerequisite list loop", "02 prerequisite list rang", "02 prerequisite list variabl",
		"02 requires loop", "02 requires rang", "02 requires variabl", "02 teaches list",
	}
	if strings.Join(edges, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(edges, "\n"))
	}
	outline, err := b.Outline(t.Context(), ada, "c1")
	if err != nil || len(outline) != 2 || len(outline[0].Meta.Objectives) != 1 || outline[0].Meta.Objectives[0] != "Repetir con for" {
		t.Errorf("%+v, %v", outline, err)
	}
}

func TestWhatStaysTheSameIsNotTouchedInTheGraphEither(t *testing.T) {
	b := setup(t, nil)
	lesson := func(name, needs string) string {
		return "---\nunit: 1\nconcepts: [" + name + "]\nprerequisites: [" + needs + "]\n---\n# " + name + "\n\nText on " + name + ".\n"
	}
	material := []string{"a.md", lesson("alpha", ""), "b.md", lesson("beta", "alpha"), "c.md", lesson("gamma", "beta")}
	b.ingest(tess, "c1", true, material...)
	tables := []string{conceptRows, edgeRows, chunkRows, documents, postingRows}
	state := func() (all []map[string]string) {
		for _, query := range tables {
			all = append(all, b.writes(query))
		}
		return all
	}
	before := state()
	b.ingest(tess, "c1", true, material...)
	for i, after := range state() {
		if keys := changed(before[i], after); len(keys) > 0 {
			t.Errorf("%s: %v was written", tables[i], keys)
		}
	}
	material[5] = lesson("gamma", "alpha")
	report := b.ingest(tess, "c1", true, material...)
	if report.Changed != 1 || report.Unchanged != 2 {
		t.Errorf("%+v", report)
	}
	after := state()
	if keys := changed(before[3], after[3]); len(keys) != 1 || keys[0] != "c.md" {
		t.Errorf("documents %v were written", keys)
	}
	if keys := changed(before[0], after[0]); len(keys) > 0 {
		t.Errorf("concepts %v were written, though only what gamma needs changed", keys)
	}
	if keys := changed(before[1], after[1]); len(keys) != 4 {
		t.Errorf("edges %v were written: gamma needs and requires alpha, no more beta", keys)
	}
	b.ingest(tess, "c1", true, material[:4]...)
	g, err := b.Concepts(t.Context(), ada, "c1")
	if _, there := g.Find("gamma"); err != nil || there || len(g.Concepts) != 2 {
		t.Errorf("what was removed is still in the graph: %+v, %v", g.Concepts, err)
	}
}

func TestACycleIsReportedByTheIngestAndByTheGraph(t *testing.T) {
	b := setup(t, nil)
	report := b.ingest(tess, "c1", true,
		"1.md", "---\nunit: 1\nconcepts: [hen]\nprerequisites: [egg]\n---\n# Hen\n\nx\n",
		"2.md", "---\nunit: 2\nconcepts: [egg]\nprerequisites: [hen]\n---\n# Egg\n\nx\n")
	g, err := b.Concepts(t.Context(), ada, "c1")
	if err != nil || len(report.Cycles) != 1 || len(g.Cycles) != 1 {
		t.Fatal(err, report.Cycles, g.Cycles)
	}
	for _, c := range []rag.Cycle{report.Cycles[0], g.Cycles[0]} {
		if c.Path != "1.md" || strings.Join(c.Concepts, ",") != "egg,hen" {
			t.Errorf("%+v", c)
		}
	}
}
