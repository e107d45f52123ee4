package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/mutants"
	"github.com/goals-tracker/tracker/plugins/validator-python/internal/mutate"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// mutateSolution makes small faulty variants of a solution. It reads the text
// only.
func mutateSolution(ctx context.Context, req *validator.Request, limit int) ([]validator.Mutant, error) {
	l := arrange(req, req.Options.(options))
	var sources []mutants.Source
	files := slices.SortedFunc(slices.Values(req.Submission.Files), func(a, b validator.File) int { return cmp.Compare(a.Path, b.Path) })
	for _, f := range files {
		if !strings.HasSuffix(f.Path, ".py") || !slices.Contains(l.names, f.Path) || isTest(f.Path) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sources = append(sources, mutants.Source{Path: f.Path, Text: string(f.Content), Edits: mutate.Edits(string(f.Content))})
	}
	return mutants.Make("python.mutant", sources, limit), nil
}

func isTest(name string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	return strings.HasPrefix(base, "test_") || strings.HasSuffix(base, "_test.py") || base == "tests.py"
}
