package mutate

import (
	"fmt"
	"slices"
	"strings"
)

// Mutant is one change of a file.
type Mutant struct {
	// File is for the caller to set.
	File string
	// Operator names the kind of change: "swap-comparison".
	Operator string
	// Line of the change, from 1.
	Line int
	// Before and After are what was replaced and by what; shortened.
	Before, After string
	// Source is the whole changed file.
	Source string
}

// edit replaces src[start:end].
type edit struct {
	operator   string
	start, end int
	line       int
	with       string
}

// Operators are the names of all kinds of changes, in the order in which they
// take turns.
var Operators = []string{
	"swap-comparison", "negate-condition", "off-by-one", "return-none", "swap-arithmetic", "remove-statement", "swap-logic", "wrong-index",
	"remove-not", "empty-collection", "leave-loop", "swap-boolean", "swap-function", "short-range", "empty-text", "negate-membership",
	// These fill up what is small.
	"return-constant", "fixed-condition", "off-by-one-down", "other-comparison", "other-arithmetic", "longer-text", "one-side", "remove-call",
}

// All returns every mutant of a source, in the order of their places; none when
// it can't be read. The same source always has the same mutants.
func All(src string) []Mutant {
	tokens, ok := tokenize(src)
	if !ok {
		return nil
	}
	var edits []edit
	for _, s := range statements(src, tokens) {
		edits = append(edits, within(s)...)
		edits = append(edits, whole(s)...)
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return a.start - b.start })
	var out []Mutant
	for _, e := range edits {
		out = append(out, Mutant{
			Operator: e.operator, Line: e.line, Before: short(src[e.start:e.end]), After: short(e.with),
			Source: src[:e.start] + e.with + src[e.end:],
		})
	}
	return out
}

// Pick chooses up to limit mutants so that each operator and each part of the
// program has its share.
func Pick(all []Mutant, limit int) []Mutant {
	queues := map[string][]int{}
	for i, m := range all {
		queues[m.Operator] = append(queues[m.Operator], i)
	}
	var chosen []int
	for len(chosen) < min(limit, len(all)) {
		for _, o := range Operators {
			q := queues[o]
			if len(q) == 0 || len(chosen) >= limit {
				continue
			}
			// From the middle outwards, so that neither the first nor the last
			// function gets all of them.
			at := len(q) / 2
			chosen = append(chosen, q[at])
			queues[o] = slices.Delete(slices.Clone(q), at, at+1)
		}
	}
	slices.Sort(chosen)
	out := make([]Mutant, len(chosen))
	for i, c := range chosen {
		out[i] = all[c]
	}
	return out
}

// short is text that fits into a sentence.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// String names a mutant: "swap-comparison, line 3: < became <=".
func (m Mutant) String() string {
	return fmt.Sprintf("%s, line %d: %s became %s", m.Operator, m.Line, m.Before, m.After)
}
