package eval

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

// Result is what was measured, averaged over the queries.
type Result struct {
	Documents, Queries int
	// Method is what searched: "bm25", "vectors" or "hybrid".
	Method string
	// Fallback is why vectors had no part in a query's search, where they should.
	Fallback rag.Fallback
	// NDCG is nDCG@10, Recall the share of relevant documents among the first 10,
	// MRR the mean reciprocal rank within the first 10.
	NDCG, Recall, MRR float64
	// RecallAt is recall at other depths.
	RecallAt map[int]float64
	// P50 and P95 are latencies of one search for ten passages, scoped to the set.
	// The time for the question's vector is not in them.
	P50, P95 time.Duration
	// PerQuery is nDCG@10 by query, for comparing two runs in pairs.
	PerQuery map[string]float64
}

const (
	// depth is how many documents are looked at.
	depth = 10
	// A document may have several passages.
	passages = 50
	// timed is how many queries are asked again for their latency.
	timed = 200
	// A vector is waited for here, whatever the configuration says.
	embedWithin = 2 * time.Minute
)

// depths are those of RecallAt.
var depths = []int{1, 5, 10, 20}

// Index is a set that was ingested.
type Index struct {
	Set
	CourseID string
	// Problems are documents that could not be indexed. They stay in the labels.
	Problems []rag.Problem
	Passages int
	ids      map[string]string
	untimed  bool
}

// Ingest puts a set into a course of the given id, which must be the
// evaluation's alone. The material stays: Service.RemoveCourse takes it out.
func Ingest(ctx context.Context, service rag.Service, courseID string, set Set, progress func(rag.Progress)) (*Index, error) {
	files, ids := Files(set)
	report, err := service.Ingest(ctx, postgres.As(auth.System("evaluation")), courseID, files, true, progress)
	if err != nil {
		return nil, fmt.Errorf("ingest evaluation set: %w", err)
	}
	return &Index{Set: set, CourseID: courseID, Problems: report.Problems, Passages: report.Chunks, ids: ids}, nil
}

// Run ingests a set and asks all its queries as the system, by words and
// meaning where there are vectors.
func Run(ctx context.Context, service rag.Service, courseID string, set Set, progress func(rag.Progress)) (Result, error) {
	index, err := Ingest(ctx, service, courseID, set, progress)
	if err != nil {
		return Result{}, err
	}
	return index.Ask(ctx, service, rag.ByBoth)
}

// Ask asks all queries.
func (x *Index) Ask(ctx context.Context, service rag.Service, by rag.By) (Result, error) {
	result := Result{Documents: len(x.Corpus), Queries: len(x.Queries), PerQuery: map[string]float64{}, RecallAt: map[int]float64{}}
	actor := auth.System("evaluation")
	query := rag.Query{CourseID: x.CourseID, Limit: passages, By: by, EmbedWithin: embedWithin}
	for _, q := range x.Queries {
		query.Text = q.Text
		found, err := service.Search(ctx, actor, query)
		if err != nil {
			return result, fmt.Errorf("ask query %s: %w", q.ID, err)
		}
		result.Method = found.Method
		if found.Fallback != "" {
			result.Fallback = found.Fallback
		}
		var ranked []string
		for _, p := range found.Passages {
			if id := x.ids[p.Path]; !slices.Contains(ranked, id) {
				ranked = append(ranked, id)
			}
		}
		result.add(q.ID, ranked, x.Relevant[q.ID])
	}
	n := float64(len(x.Queries))
	result.NDCG, result.Recall, result.MRR = result.NDCG/n, result.Recall/n, result.MRR/n
	for k := range result.RecallAt {
		result.RecallAt[k] /= n
	}
	if x.untimed {
		return result, nil
	}
	// The questions' vectors are remembered now.
	query.Limit = depth
	var times []time.Duration
	for i := range min(timed, len(x.Queries)) {
		query.Text = x.Queries[i].Text
		start := time.Now()
		if _, err := service.Search(ctx, actor, query); err != nil {
			return result, fmt.Errorf("ask query %s again: %w", x.Queries[i].ID, err)
		}
		times = append(times, time.Since(start))
	}
	result.P50, result.P95 = spread(times)
	return result, nil
}

// spread is the middle and the 95th of a hundred.
func spread(times []time.Duration) (p50, p95 time.Duration) {
	if len(times) == 0 {
		return 0, 0
	}
	slices.Sort(times)
	return times[len(times)/2], times[len(times)*95/100]
}

// Files are a set's documents as files of a course, and their ids by path.
func Files(set Set) (files []rag.File, ids map[string]string) {
	ids = map[string]string{}
	for i, d := range set.Corpus {
		// PostgreSQL's texts hold no NUL, and a set is not to fail for one.
		title, text := strings.Join(strings.Fields(clean(d.Title)), " "), clean(d.Text)
		name := fmt.Sprintf("%07d.txt", i)
		switch {
		case title != "":
			// A title is a heading, on one line and without marks of its own.
			name, text = fmt.Sprintf("%07d.md", i), "# "+title+"\n\n"+text
		case strings.HasPrefix(text, "def ") || strings.HasPrefix(text, "@") || strings.HasPrefix(text, "class "):
			name = fmt.Sprintf("%07d.py", i)
		}
		files = append(files, rag.File{Path: name, Content: []byte(text)})
		ids[name] = d.ID
	}
	return files, ids
}

func clean(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", " "), "\uFFFD")
}

// add counts one query's ranking.
func (r *Result) add(query string, ranked []string, relevant map[string]float64) {
	var gain, ideal, found float64
	first := 0.0
	for i, id := range ranked {
		score := relevant[id]
		if score <= 0 {
			continue
		}
		for _, k := range depths {
			if i < k {
				r.RecallAt[k] += 1 / float64(len(relevant))
			}
		}
		if i >= depth {
			continue
		}
		gain += score / math.Log2(float64(i)+2)
		found++
		if first == 0 {
			first = 1 / float64(i+1)
		}
	}
	best := make([]float64, 0, len(relevant))
	for _, score := range relevant {
		best = append(best, score)
	}
	slices.SortFunc(best, func(a, b float64) int { return int(math.Copysign(1, b-a)) })
	for i, score := range best[:min(depth, len(best))] {
		ideal += score / math.Log2(float64(i)+2)
	}
	r.PerQuery[query] = gain / ideal
	r.NDCG += gain / ideal
	r.Recall += found / float64(len(relevant))
	r.MRR += first
}
