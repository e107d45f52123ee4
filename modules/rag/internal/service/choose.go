package service

import (
	"hash/maphash"
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
	top := 0.0
	if len(hits) > 0 {
		top = hits[0].Score
	}
	left := make([]candidate, len(hits))
	for i := range hits {
		left[i].hit = &hits[i]
	}
	least := alike
	if diversity > 0 {
		least = 0
	}
	var chosen []rag.Passage
	var by []*candidate
	used := 0
	for len(chosen) < limit && len(left) > 0 {
		at, most := 0, 0.0
		for i := range left {
			if diversity == 0 {
				break // they come in this order
			}
			value := left[i].hit.Score
			if top > 0 {
				value /= top
			}
			value = (1-diversity)*value - diversity*left[i].closest(by, least)
			if i == 0 || value > most {
				at, most = i, value
			}
		}
		one := left[at]
		left = slices.Delete(left, at, at+1)
		size := (len(one.hit.Text) + tokenBytes - 1) / tokenBytes
		if maxTokens > 0 && used+size > maxTokens || one.closest(by, least) >= alike {
			continue
		}
		used += size
		chosen, by = append(chosen, one.hit.Passage), append(by, &one)
	}
	return chosen
}

// candidate is a hit with its terms as sorted numbers, which are made when they
// are first asked for.
type candidate struct {
	hit   *store.Hit
	terms []uint64
	// near is how like it is to the nearest of the first seen that were chosen.
	near float64
	seen int
}

var seed = maphash.MakeSeed()

func (c *candidate) numbers() []uint64 {
	if c.terms == nil && len(c.hit.Terms) > 0 {
		c.terms = make([]uint64, len(c.hit.Terms))
		for i, term := range c.hit.Terms {
			c.terms[i] = maphash.String(seed, term)
		}
		slices.Sort(c.terms)
	}
	return c.terms
}

// closest is how like it is to the nearest of those that were chosen; less than
// least may be told as 0.
func (c *candidate) closest(chosen []*candidate, least float64) float64 {
	for _, other := range chosen[c.seen:] {
		short, long := len(c.hit.Terms), len(other.hit.Terms)
		if short > long {
			short, long = long, short
		}
		// No more can be in both than are in the shorter one.
		if short > 0 && float64(short) >= least*float64(long) {
			c.near = max(c.near, overlap(c.numbers(), other.numbers(), least))
		}
	}
	c.seen = len(chosen)
	return c.near
}

// overlap is the share of the terms of both that are in both; a and b are
// sorted. It is 0 where that is less than least.
func overlap(a, b []uint64, least float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	// With fewer in both, they don't reach least.
	needed := int(least * float64(len(a)+len(b)) / (1 + least))
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			both, i, j = both+1, i+1, j+1
		}
		if both+min(len(a)-i, len(b)-j) < needed {
			return 0
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}
