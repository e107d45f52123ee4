package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/goals-tracker/tracker/sdk/validator"
)

const solution = `package calc

import "errors"

const limit = 10

// Sum adds what is below the limit.
func Sum(list []int, all bool) (int, error) {
	total := 0
	for i := 0; i < len(list); i++ {
		if list[i] >= limit && !all {
			continue
		}
		total += list[i]
	}
	if total == 0 {
		return 0, errors.New("no" + "thing")
	}
	return total * 2, nil
}
`

func mutated(t *testing.T, limit int) []validator.Mutant {
	t.Helper()
	out, err := mutate(t.Context(), &validator.Request{Options: options{}, Submission: validator.Submission{Files: []validator.File{
		{Path: "calc.go", Content: []byte(solution)}, {Path: "calc_test.go", Content: []byte("package calc\n\nvar one = 1\n")}, {Path: "broken.go", Content: []byte("package calc\n\nfunc {")},
	}}}, limit)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestMutantsAreTheSameEachTimeAndEachDiffersInOnePlace(t *testing.T) {
	all := mutated(t, 100)
	if d := cmp.Diff(all, mutated(t, 100)); d != "" {
		t.Error(d)
	}
	seen := map[string]bool{}
	operators := map[string]bool{}
	for _, m := range all {
		content := m.Files[0].Content
		if len(m.Files) != 1 || m.Files[0].Path != "calc.go" || seen[string(content)] || bytes.Equal(content, []byte(solution)) || m.Description.Text["es"] == "" {
			t.Errorf("%+v", m)
		}
		seen[string(content)] = true
		operators[m.Operator] = true
		if _, err := parser.ParseFile(token.NewFileSet(), "calc.go", content, 0); err != nil {
			t.Errorf("%s: %v", m.ID, err)
		}
	}
	for _, o := range []string{"swap-comparison", "swap-logic", "swap-arithmetic", "swap-assignment", "negate-condition", "off-by-one", "leave-loop", "return-none", "return-constant", "fixed-condition", "remove-not", "remove-statement", "one-side"} {
		if !operators[o] {
			t.Errorf("no mutant of %s", o)
		}
	}
}

func TestALimitTakesMutantsOfAllKinds(t *testing.T) {
	few := mutated(t, 8)
	operators := map[string]bool{}
	for _, m := range few {
		operators[m.Operator] = true
	}
	if len(few) != 8 || len(operators) != 8 {
		t.Errorf("%d mutants of %d operators", len(few), len(operators))
	}
}
