package service

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/analyze"
	"github.com/goals-tracker/tracker/modules/rag/internal/embed"
	"github.com/goals-tracker/tracker/modules/rag/internal/store"
)

const (
	// candidates is how many passages words and meaning each bring at least; twice
	// as many served no better on cosqa-dev.
	candidates = 50
)

// found are the candidates of a search.
type found struct {
	// known is what is known of them, in parts.
	known []store.Likeness
	// words is what words found; unrated are candidates that it doesn't tell of.
	words   store.Words
	unrated []store.Likeness
	// meant is whether meaning counts beside words, and weight how much.
	meant  bool
	weight float64
}

// find looks for candidates. Words are looked up while the question's vector is
// made; then what words found best is compared with it beside the search for
// what is near it.
func (s *Service) find(ctx context.Context, actor, reader auth.Actor, q rag.Query, result *rag.Result) (*found, error) {
	asked, err := s.ask(ctx, actor, q)
	if err != nil {
		return nil, err
	}
	terms := analyze.Query(q.Text, maxTerms)
	if terms == nil || q.By == rag.ByMeaning {
		terms = []string{}
	}
	by := store.Ranking{K1: s.cfg.K1, B: s.cfg.B, Peers: q.Peers}
	bring := max(candidates, 2*q.Limit)
	var got found
	var best, alike, near []store.Likeness
	var vector []float32
	both, inTime := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		if len(terms) == 0 {
			return nil
		}
		if got.words, err = store.Search(inTime, s.db.As(reader), reader, q.Scope, q.CourseID, terms, by); err != nil {
			return err
		}
		best = got.words.Found[:min(len(got.words.Found), bring)]
		if vector, _ := asked.wait(inTime); vector != nil && len(best) > 0 {
			alike, err = store.Alike(inTime, s.db.As(reader), *asked.space, vector, best)
		}
		return err
	})
	both.Go(func() (err error) {
		if vector, result.Fallback = asked.wait(inTime); vector != nil {
			near, err = store.Compare(inTime, s.db.As(reader), reader, q.Scope, q.CourseID, q.Peers, store.Nearness{
				Space: *asked.space, Vector: vector, Amount: bring, Breadth: s.cfg.IndexBreadth, Few: s.cfg.ExactUpTo,
			})
		}
		return err
	})
	if err := both.Wait(); err != nil {
		return nil, err
	}
	if vector == nil {
		got.known = best
		return &got, ctx.Err()
	}
	result.Method = "hybrid"
	if q.By == rag.ByMeaning {
		result.Method = "vectors"
	}
	got.meant = true
	got.weight = embed.WeightFor(asked.space.Model, asked.space.Weight, analyze.Detect(q.Text, 1) == analyze.Spanish)
	got.join(best, alike, near)
	return &got, nil
}

// join puts together what each side knows of the candidates: those that are best
// by words, and those that are near.
func (f *found) join(best, alike, near []store.Likeness) {
	candidates := make(map[int64]bool, len(best)+len(near))
	f.known = append(f.known, near...)
	for _, n := range near {
		candidates[n.Chunk] = true
	}
	for _, a := range alike {
		if !candidates[a.Chunk] {
			f.known = append(f.known, a)
		}
	}
	for _, w := range best {
		candidates[w.Chunk] = true
	}
	for _, w := range f.words.Found {
		if candidates[w.Chunk] {
			f.known = append(f.known, w)
		}
	}
	f.unrated = f.words.Unrated(near)
}

// best orders the candidates, when it has rated by words those that are not yet.
func (s *Service) best(ctx context.Context, reader auth.Actor, f *found) ([]scored, error) {
	if !f.meant {
		return byWords(f.known), nil
	}
	if len(f.unrated) > 0 {
		rated, err := store.Rate(ctx, s.db.As(reader), f.words, f.unrated)
		if err != nil {
			return nil, err
		}
		f.known = append(f.known, rated...)
	}
	return fuse(f.known, f.weight), nil
}

// hits reads what was found, in its order.
func (s *Service) hits(ctx context.Context, reader auth.Actor, ranked []scored) ([]store.Hit, error) {
	nums, place := make([]int64, len(ranked)), make(map[int64]int, len(ranked))
	for i, r := range ranked {
		nums[i], place[r.chunk] = r.chunk, i
	}
	hits, err := store.Hits(ctx, s.db.As(reader), reader, nums)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(hits, func(a, b store.Hit) int { return cmp.Compare(place[a.Num], place[b.Num]) })
	for i := range hits {
		hits[i].Score = ranked[place[hits[i].Num]].score
	}
	return hits, nil
}
