package service_test

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/cmd/academy/courses"
	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
)

func TestSolutionsAndTestsAreKeptAndNeverFound(t *testing.T) {
	b := setup(t, nil)
	b.ingest(tess, "c1", false,
		"exercises/zebra/exercise.md", "---\ntitle: Zebra\nconcepts: [stripes]\ndifficulty: 2\nunit: 3\nlanguage: python\n---\nCount the stripes.\n",
		"exercises/zebra/starter/zebra.py", "def stripes(): ...\n",
		"exercises/zebra/solution/zebra.py", "def stripes():\n    return xylophone\n",
		"exercises/zebra/tests/test_zebra.py", "def test_xylophone(): assert stripes()\n",
		"exercises/zebra/solution.md", "The answer is xylophone.\n",
	)
	b.sample(courses.PythonBasicsES, "c3")
	for _, who := range []auth.Actor{ada, tess, root, robot} {
		if found := b.search(who, "c1", "xylophone"); len(found) != 0 {
			t.Errorf("%s finds the solution: %v", who.Name(), found)
		}
		all, err := b.Passages(t.Context(), who, rag.PassageFilter{CourseID: "c1"})
		if err != nil || len(all) != 2 {
			t.Errorf("%s reads %v, %v", who.Name(), all, err)
		}
	}
	for _, who := range []auth.Actor{ada, tess, root} {
		if _, err := b.Exercises(t.Context(), who, "c1"); err == nil {
			t.Errorf("%s got the solutions", who.Name())
		}
	}
	list, err := b.Exercises(t.Context(), robot, "c1")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	x := list[0]
	if x.Slug != "zebra" || x.Title != "Zebra" || x.Difficulty != 2 || x.Language != "python" || x.Meta.Unit != 3 || x.Concepts[0] != "stripes" {
		t.Errorf("got %+v", x)
	}
	for role, want := range map[rag.Role]string{rag.Starter: "zebra.py", rag.Tests: "test_zebra.py", rag.Solution: "zebra.py"} {
		if x.ByRole(role)[want] == "" {
			t.Errorf("%s has no %s: %v", role, want, x.ByRole(role))
		}
	}
	spanish, err := b.Exercises(t.Context(), robot, "c3")
	if err != nil || len(spanish) < 5 {
		t.Fatal(len(spanish), err)
	}
	for _, x := range spanish {
		if len(x.ByRole(rag.Starter)) == 0 || len(x.ByRole(rag.Solution)) == 0 || len(x.ByRole(rag.Tests)) == 0 {
			t.Errorf("%s lacks files", x.Path)
		}
	}
}

func TestSolutionsAndTestsAreKnownByWhateverTheyAreCalled(t *testing.T) {
	b := setup(t, nil)
	hidden := []string{
		"exercises/zebra/test.py", "exercises/zebra/ZebraTest.java", "exercises/zebra/src/__tests__/zebra.js", "exercises/zebra/reference/zebra.py",
		"exercises/zebra/conftest.py", "exercises/zebra/zebra_spec.rb", "exercises/zebra/hidden/cases.py", "exercises/zebra/respuestas/zebra.py",
		"exercises/zebra/prueba_cebra.py", "exercises/zebra/cebra_solucion.py",
		"exercises/zebra_solution.py", "exercises/test_zebra.py", "ejercicios/solucion.py", "unit-1/solution.py", "unit-1/Soluciones.md",
		"unit-1/lab-solution.md", "answers/unit-1.md",
	}
	files := []string{"exercises/zebra/exercise.md", "# Zebra\n\nCount the stripes.\n"}
	for _, name := range hidden {
		files = append(files, name, "# Stripes\n\nxylophone = 1\n")
	}
	open := []string{
		"exercises/zebra/starter/latest.py", "exercises/zebra/latest.py", "unit-1/respuestas-http.md", "unit-1/solution-design.md",
		"reference/strings.md", "examples/test_math.py",
	}
	for _, name := range open {
		files = append(files, name, "# Contest\n\ncontest = 1\n")
	}
	b.ingest(tess, "c1", false, files...)
	all, err := b.Passages(t.Context(), ada, rag.PassageFilter{CourseID: "c1"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range all {
		if seen[p.Path] = true; strings.Contains(p.Text, "xylophone") {
			t.Errorf("a learner reads %s", p.Path)
		}
	}
	for _, name := range open {
		if !seen[name] {
			t.Errorf("a learner can't read %s", name)
		}
	}
}

func TestWhatIsNoLongerReadableLeavesTheIndex(t *testing.T) {
	b := setup(t, nil)
	b.ingest(tess, "c1", false, "exercises/zebra/exercise.md", "# Zebra\n\nCount.\n", "unit-1/notes.md", "# Notes\n\nxylophone\n")
	// As an older version of the server had indexed it.
	if tag, err := b.db.Pool().Exec(t.Context(), `UPDATE rag.documents SET path = 'exercises/zebra/tests/test_zebra.py' WHERE path = 'unit-1/notes.md'`); err != nil || tag.RowsAffected() != 1 {
		t.Fatal(tag, err)
	}
	report := b.ingest(tess, "c1", true, "exercises/zebra/exercise.md", "# Zebra\n\nCount.\n", "exercises/zebra/tests/test_zebra.py", "assert xylophone\n")
	if found := b.search(ada, "c1", "xylophone"); len(found) != 0 || report.Removed != 1 {
		t.Errorf("found %v after %+v", found, report)
	}
}
