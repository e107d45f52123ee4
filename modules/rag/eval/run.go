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
	// Method is what searched: "bm25" or "hybrid".
	Method string
	// NDCG is nDCG@10, Recall the share of relevant documents among the first 10,
	// MRR the mean reciprocal rank within the first 10.
	NDCG, Recall, MRR float64
	// P50 and P95 are latencies of one search, scoped to the set.
	P50, P95 time.Duration
	// PerQuery is nDCG@10 by query, for comparing two runs in pairs.
	PerQuery map[string]float64
}

// depth is how many documents are looked at.
const depth = 10

// Run ingests the set as a course of the given id, which must be the
// evaluation's alone, and asks all its queries as the system. The material
// stays: Service.RemoveCourse takes it out.
func Run(ctx context.Context, service rag.Service, courseID string, set Set, progress func(rag.Progress)) (Result, error) {
	result := Result{Documents: len(set.Corpus), Queries: len(set.Queries), PerQuery: map[string]float64{}}
	actor := auth.System("evaluation")
	files, ids := Files(set)
	report, err := service.Ingest(ctx, postgres.As(actor), courseID, files, true, progress)
	if err != nil {
		return result, fmt.Errorf("ingest evaluation set: %w", err)
	}
	if len(report.Problems) > 0 {
		p := report.Problems[0]
		return result, fmt.Errorf("%d documents of the set can't be indexed; %s: %s", len(report.Problems), p.Path, p.Reason)
	}
	var times []time.Duration
	for _, q := range set.Queries {
		start := time.Now()
		// A document may have several passages.
		found, err := service.Search(ctx, actor, rag.Query{Text: q.Text, CourseID: courseID, Limit: 3 * depth})
		if err != nil {
			return result, fmt.Errorf("ask query %s: %w", q.ID, err)
		}
		times = append(times, time.Since(start))
		result.Method = found.Method
		var ranked []string
		for _, p := range found.Passages {
			if id := ids[p.Path]; len(ranked) < depth && !slices.Contains(ranked, id) {
				ranked = append(ranked, id)
			}
		}
		result.add(q.ID, ranked, set.Relevant[q.ID])
	}
	n := float64(len(set.Queries))
	result.NDCG, result.Recall, result.MRR = result.NDCG/n, result.Recall/n, result.MRR/n
	slices.Sort(times)
	result.P50, result.P95 = times[len(times)/2], times[len(times)*95/100]
	return result, nil
}

// Files are a set's documents as files of a course, and their ids by path.
func Files(set Set) (files []rag.File, ids map[string]string) {
	ids = map[string]string{}
	for i, d := range set.Corpus {
		name, text := fmt.Sprintf("%07d.txt", i), d.Text
		switch {
		case d.Title != "":
			// A title is a heading, on one line and without marks of its own.
			name, text = fmt.Sprintf("%07d.md", i), "# "+strings.Join(strings.Fields(d.Title), " ")+"\n\n"+d.Text
		case strings.HasPrefix(d.Text, "def ") || strings.HasPrefix(d.Text, "@") || strings.HasPrefix(d.Text, "class "):
			name = fmt.Sprintf("%07d.py", i)
		}
		files = append(files, rag.File{Path: name, Content: []byte(text)})
		ids[name] = d.ID
	}
	return files, ids
}

// add counts one query's ranking.
func (r *Result) add(query string, ranked []string, relevant map[string]float64) {
	var gain, ideal, found, first float64
	for i, id := range ranked {
		score := relevant[id]
		gain += score / math.Log2(float64(i)+2)
		if score > 0 {
			found++
			if first == 0 {
				first = 1 / float64(i+1)
			}
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
