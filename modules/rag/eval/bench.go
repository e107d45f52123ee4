package eval

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

// BenchOptions say how much is measured.
type BenchOptions struct {
	// Passages in all, in Courses of equal size; Queries of each kind.
	Passages, Courses, Queries int
	// Fill gives all passages their vectors.
	Fill func() error
	// Settle is called when all is in the index.
	Settle   func() error
	Progress io.Writer
}

// Timing is how long searches of one kind took.
type Timing struct {
	Name          string
	Queries       int
	P50, P95, Max time.Duration
}

// BenchReport is what was measured.
type BenchReport struct {
	Passages, Dimensions int
	// Ingest and Fill are how long it took to index the passages and to store
	// their vectors; making them is not in it.
	Ingest, Fill time.Duration
	Timings      []Timing
	// Recall is the share of the ten nearest passages that the vectors' index
	// finds, of those that comparing all finds.
	Recall float64
}

// Bench fills an empty index with made-up courses and measures searches as a
// learner. exact is the service with an index that is never used.
func Bench(ctx context.Context, service, exact rag.Service, o BenchOptions) (*BenchReport, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	report := &BenchReport{}
	material := NewMaterial()
	learner := auth.Actor{UserID: "learner", Roles: []auth.Role{auth.Student}}
	// questions lists each course's.
	var questions [][]string
	start := time.Now()
	for i := range o.Courses {
		course := fmt.Sprintf("bench-%02d", i)
		learner.CourseIDs = append(learner.CourseIDs, course)
		files, asked := material.Course(o.Passages/o.Courses, 1+o.Queries/o.Courses)
		questions = append(questions, asked)
		got, err := service.Ingest(ctx, postgres.As(auth.System("bench")), course, files, false, nil)
		if err != nil {
			return nil, fmt.Errorf("ingest course %s: %w", course, err)
		}
		report.Passages += got.Chunks
		_, _ = fmt.Fprintf(o.Progress, "\r%d of %d passages indexed", report.Passages, o.Passages)
	}
	report.Ingest = time.Since(start)
	_, _ = fmt.Fprintln(o.Progress)
	start = time.Now()
	if err := o.Fill(); err != nil {
		return nil, fmt.Errorf("give the passages vectors: %w", err)
	}
	report.Fill = time.Since(start)
	state, err := service.Index(ctx, auth.System("bench"))
	if err != nil {
		return nil, err
	}
	if len(state.Spaces) != 1 || state.Spaces[0].State != rag.SpaceActive || state.Spaces[0].Missing > 0 {
		return nil, fmt.Errorf("the made-up vectors are not all there: %+v", state)
	}
	report.Passages, report.Dimensions = int(state.Passages), state.Spaces[0].Dimensions
	if o.Settle != nil {
		if err := o.Settle(); err != nil {
			return nil, err
		}
	}
	if report.Timings, err = timings(ctx, service, learner, questions); err != nil {
		return nil, err
	}
	report.Recall, err = recall(ctx, service, exact, learner, questions)
	return report, err
}

// timings asks all questions in each way.
func timings(ctx context.Context, service rag.Service, learner auth.Actor, questions [][]string) (list []Timing, err error) {
	one := learner
	for _, kind := range []struct {
		name  string
		scope rag.Scope
		by    rag.By
		few   bool
	}{
		{"course, words and meaning", rag.ScopeCourse, rag.ByBoth, false},
		{"course, words alone", rag.ScopeCourse, rag.ByWords, false},
		{"global, words and meaning", rag.ScopeGlobal, rag.ByBoth, false},
		{"global, words alone", rag.ScopeGlobal, rag.ByWords, false},
		{"global, meaning alone", rag.ScopeGlobal, rag.ByMeaning, false},
		{"global, in two courses", rag.ScopeGlobal, rag.ByBoth, true},
	} {
		var times []time.Duration
		// The first round warms up: caches, and the questions' vectors.
		for round := range 2 {
			for c, asked := range questions {
				q := rag.Query{Scope: kind.scope, By: kind.by}
				if kind.scope == rag.ScopeCourse {
					q.CourseID = learner.CourseIDs[c]
				}
				if one.CourseIDs = learner.CourseIDs; kind.few {
					one.CourseIDs = []string{learner.CourseIDs[c], learner.CourseIDs[(c+1)%len(questions)]}
				}
				for _, q.Text = range asked {
					start := time.Now()
					if _, err := service.Search(ctx, one, q); err != nil {
						return nil, fmt.Errorf("search %s: %w", kind.name, err)
					}
					if round > 0 {
						times = append(times, time.Since(start))
					}
				}
			}
		}
		t := Timing{Name: kind.name, Queries: len(times)}
		t.P50, t.P95 = spread(times)
		t.Max = times[len(times)-1]
		list = append(list, t)
	}
	return list, nil
}

// recall compares what the vectors' index finds with what is there.
func recall(ctx context.Context, service, exact rag.Service, learner auth.Actor, questions [][]string) (float64, error) {
	found, all := 0, 0
	for _, asked := range questions {
		for _, text := range asked[:min(len(asked), 5)] {
			q := rag.Query{Text: text, Scope: rag.ScopeGlobal, By: rag.ByMeaning}
			got, err := service.Search(ctx, learner, q)
			if err != nil {
				return 0, err
			}
			want, err := exact.Search(ctx, learner, q)
			if err != nil {
				return 0, err
			}
			ids := map[string]bool{}
			for _, p := range got.Passages {
				ids[p.ChunkID] = true
			}
			for _, p := range want.Passages {
				all++
				if ids[p.ChunkID] {
					found++
				}
			}
		}
	}
	return float64(found) / float64(max(all, 1)), nil
}

// Print writes the report for people.
func (r *BenchReport) Print(out io.Writer) error {
	p := &printer{out: out}
	p.line("search among %d passages with vectors of %d dimensions; indexed in %s, vectors stored in %s",
		r.Passages, r.Dimensions, r.Ingest.Round(time.Second), r.Fill.Round(time.Second))
	p.line("%-28s %8s %9s %9s %9s", "", "queries", "p50", "p95", "max")
	for _, t := range r.Timings {
		p.line("%-28s %8d %9s %9s %9s", t.Name, t.Queries, short(t.P50), short(t.P95), short(t.Max))
	}
	p.line("of the ten nearest passages the index finds %.1f %%", 100*r.Recall)
	p.line("the time for a question's vector is not in these; `tracker rag eval` measures it")
	return p.err
}
