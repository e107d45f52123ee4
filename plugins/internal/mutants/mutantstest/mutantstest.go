// Package mutantstest holds a plugin's Mutate to what the SDK promises.
package mutantstest

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validator"
	"github.com/goals-tracker/tracker/sdk/validatortest"
)

// Contract has a plugin make mutants of a solution, over gRPC, and looks at
// them: many, of many operators, all different, described in both languages, the
// same each time, with changes in one file only. They are returned.
func Contract(t *testing.T, spec *validator.Spec, language string, solution map[string]string, changed string) []judging.Mutant {
	t.Helper()
	req := &judging.MutateRequest{Solution: judging.Submission{Language: language}, Limit: 500}
	for _, name := range slices.Sorted(maps.Keys(solution)) {
		req.Solution.Files = append(req.Solution.Files, judging.File{Path: name, Content: []byte(solution[name])})
	}
	judge := validatortest.Connect(t, spec)
	ask := func(limit int) []judging.Mutant {
		req.Limit = limit
		got, err := judge.Mutate(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	all := ask(500)
	operators, sources, ids := map[string]bool{}, map[string]bool{solution[changed]: true}, map[string]bool{}
	for _, m := range all {
		operators[m.Operator] = true
		if len(m.Files) != 1 || m.Files[0].Path != changed || ids[m.ID] || sources[string(m.Files[0].Content)] {
			t.Errorf("%s is not one of its own, or changes other files", m.ID)
			continue
		}
		if m.Description.Text["en"] == "" || m.Description.Text["es"] == "" || m.Description.Text["en"] == m.Description.Text["es"] {
			t.Errorf("%s has no description in both languages", m.ID)
		}
		ids[m.ID], sources[string(m.Files[0].Content)] = true, true
	}
	if len(all) < 40 || len(operators) < 12 {
		t.Errorf("%d mutants of %d operators", len(all), len(operators))
	}
	few := ask(25)
	if len(few) != 25 || !slices.EqualFunc(few, all[:25], func(a, b judging.Mutant) bool {
		return a.ID == b.ID && bytes.Equal(a.Files[0].Content, b.Files[0].Content)
	}) {
		t.Errorf("%d of 25 mutants, or others than the first of all", len(few))
	}
	return all
}
