package agents_test

import (
	"os"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/validation"
	"github.com/goals-tracker/tracker/sdk/judging"
)

// TestEvalProofs tries out the tests of every exercise of two courses: the
// solution passes, the starter does not, and of the faulty variants four fifths
// at least are noticed.
func TestEvalProofs(t *testing.T) {
	if os.Getenv("TRACKER_EVAL") == "" {
		t.Skip("an evaluation: make eval runs it")
	}
	b := setupProving(t, nil, true)
	thorough, all := 0, 0
	t.Logf("%-40s %8s %8s", "exercise", "variants", "noticed")
	for _, course := range []string{english, spanish} {
		b.material(course)
		exercises, err := b.rag.Exercises(t.Context(), auth.System("test"), course)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range exercises {
			files := func(role rag.Role) (list []validation.File) {
				for name, content := range x.ByRole(role) {
					list = append(list, validation.File{Path: name, Content: content})
				}
				return list
			}
			p, err := b.validation.Prover.Prove(t.Context(), validation.Candidate{
				Language: "python", Starter: files(rag.Starter), Solution: files(rag.Solution), Tests: files(rag.Tests),
			})
			if err != nil {
				t.Fatalf("%s: %v", x.Title, err)
			}
			all++
			if p.Mutants >= enoughMutants {
				thorough++
			}
			t.Logf("%-40s %8d %8d", x.Title, p.Mutants, p.Killed)
			if p.Solution != judging.VerdictPassed || p.Starter == judging.VerdictPassed || 5*p.Killed < 4*p.Mutants {
				t.Errorf("%s is not proven: solution %s, starter %s, %d of %d noticed", x.Title, p.Solution, p.Starter, p.Killed, p.Mutants)
			}
		}
	}
	t.Logf("%d of %d exercises have %d variants or more", thorough, all, enoughMutants)
}
