package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/plugins/validator-python/internal/mutate"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// mutants makes small faulty variants of a solution. It reads the text only.
func mutants(ctx context.Context, req *validator.Request, limit int) ([]validator.Mutant, error) {
	l := arrange(req, req.Options.(options))
	sources := map[string]bool{}
	var all []mutate.Mutant
	files := slices.SortedFunc(slices.Values(req.Submission.Files), func(a, b validator.File) int { return cmp.Compare(a.Path, b.Path) })
	for _, f := range files {
		if !strings.HasSuffix(f.Path, ".py") || !slices.Contains(l.names, f.Path) || isTest(f.Path) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, m := range mutate.All(string(f.Content)) {
			if !sources[m.Source] {
				sources[m.Source] = true
				m.File = f.Path
				all = append(all, m)
			}
		}
	}
	var out []validator.Mutant
	count := map[string]int{}
	for _, m := range mutate.Pick(all, limit) {
		place := fmt.Sprintf("%s:%s:%d", m.Operator, m.File, m.Line)
		count[place]++
		out = append(out, validator.Mutant{
			ID: fmt.Sprintf("%s:%d", place, count[place]), Operator: m.Operator,
			Description: describe(m),
			Files:       []validator.File{{Path: m.File, Content: []byte(m.Source)}},
		})
	}
	return out, nil
}

func isTest(name string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	return strings.HasPrefix(base, "test_") || strings.HasSuffix(base, "_test.py") || base == "tests.py"
}

func describe(m mutate.Mutant) validator.Message {
	switch {
	case m.Before == "":
		return validator.Text("python.mutant", "{file}, line {line}: {after} was added.", "{file}, línea {line}: se añadió {after}.", "file", m.File, "line", m.Line, "after", m.After)
	case m.After == "":
		return validator.Text("python.mutant", "{file}, line {line}: {before} was left out.", "{file}, línea {line}: se quitó {before}.", "file", m.File, "line", m.Line, "before", m.Before)
	}
	return validator.Text("python.mutant", "{file}, line {line}: {before} became {after}.", "{file}, línea {line}: {before} se convirtió en {after}.",
		"file", m.File, "line", m.Line, "before", m.Before, "after", m.After)
}
