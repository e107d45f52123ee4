package service

import (
	"cmp"
	"math"
	"slices"

	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

// scored is a passage's number with its score.
type scored struct {
	chunk int64
	score float64
}

// byWords ranks what BM25 found.
func byWords(found []store.Likeness) []scored {
	list := make([]scored, len(found))
	for i, f := range found {
		list[i] = scored{f.Chunk, f.BM25}
	}
	return best(list)
}

// fuse adds up both kinds of likeness, each as a share of the best: of BM25's
// best score, and of the way from the least to the nearest cosine among the
// candidates. So one weight fits models whose cosines spread differently. A
// passage whose vector is still being made is taken to be like the middle one. A
// passage may come in several parts.
func fuse(found []store.Likeness, weight float64) []scored {
	type pair struct {
		bm25   float64
		cosine float64
		known  bool
	}
	all := make(map[int64]pair, len(found))
	low, high, sum, known := math.Inf(1), math.Inf(-1), 0.0, 0
	for _, n := range found {
		p := all[n.Chunk]
		p.bm25 = max(p.bm25, n.BM25)
		if n.Cosine != nil && !math.IsNaN(*n.Cosine) {
			p.cosine, p.known = *n.Cosine, true
			low, high = min(low, p.cosine), max(high, p.cosine)
			sum += p.cosine
			known++
		}
		all[n.Chunk] = p
	}
	top := 0.0
	for _, p := range all {
		top = max(top, p.bm25)
	}
	list := make([]scored, 0, len(all))
	for chunk, p := range all {
		score := 0.0
		if top > 0 {
			score = p.bm25 / top
		}
		if known > 0 && high > low {
			if !p.known {
				p.cosine = sum / float64(known)
			}
			score += weight * (p.cosine - low) / (high - low)
		}
		list = append(list, scored{chunk, score})
	}
	return best(list)
}

// best sorts by score; equal ones in the order in which they were ingested.
func best(list []scored) []scored {
	slices.SortFunc(list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.chunk, b.chunk))
	})
	return list
}
