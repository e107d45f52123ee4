package service

import (
	"cmp"
	"slices"

	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

const (
	// alike is the share of common terms from which two passages say the same.
	alike = 0.9
	// A token is about this many bytes of prose or code.
	tokenBytes = 4
)

// choose takes the best of the hits, which come best first: none that says the
// same as a better one, and with diversity those first that add something (MMR
// over the passages' terms); and no more text than fits, if that is bounded.
func choose(hits []store.Hit, limit, maxTokens int, diversity float64) []rag.Passage {
	for i := range hits {
		slices.Sort(hits[i].Terms)
	}
	top := 0.0
	if len(hits) > 0 {
		top = hits[0].Score
	}
	left := slices.Clone(hits)
	// closest is how like each hit is to the nearest of those that were chosen.
	closest := make([]float64, len(left))
	var chosen []rag.Passage
	used := 0
	for len(chosen) < limit && len(left) > 0 {
		at, most := 0, 0.0
		for i := range left {
			value := left[i].Score
			if top > 0 {
				value /= top
			}
			value = (1-diversity)*value - diversity*closest[i]
			if i == 0 || value > most {
				at, most = i, value
			}
		}
		one, near := left[at], closest[at]
		left, closest = slices.Delete(left, at, at+1), slices.Delete(closest, at, at+1)
		size := (len(one.Text) + tokenBytes - 1) / tokenBytes
		if near >= alike || maxTokens > 0 && used+size > maxTokens {
			continue
		}
		used += size
		chosen = append(chosen, one.Passage)
		for i := range left {
			closest[i] = max(closest[i], overlap(one.Terms, left[i].Terms))
		}
	}
	return chosen
}

// overlap is the share of the terms of both that are in both; a and b are sorted.
func overlap(a, b []string) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch cmp.Compare(a[i], b[j]) {
		case -1:
			i++
		case 1:
			j++
		default:
			both, i, j = both+1, i+1, j+1
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}
