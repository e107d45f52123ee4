package mutate

import (
	"slices"

	"github.com/goals-tracker/tracker/plugins/internal/mutants"
)

// Edits are all changes of a source, in the order of their places; none when it
// can't be read. The same source always has the same.
func Edits(src string) []mutants.Edit {
	tokens, ok := tokenize(src)
	if !ok {
		return nil
	}
	var out []mutants.Edit
	all := statements(src, tokens)
	for _, s := range all {
		out = append(out, within(s)...)
		out = append(out, whole(s)...)
	}
	out = append(out, wrongNames(all)...)
	slices.SortStableFunc(out, func(a, b mutants.Edit) int { return a.Start - b.Start })
	return out
}
