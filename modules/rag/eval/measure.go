package eval

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/rag"
)

// Options say how a set is measured.
type Options struct {
	// Name is what the set is called in the report.
	Name string
	// Weight, if above 0, takes the place of the space's own, by Weigh.
	Weight float64
	Weigh  func(space int, weight float64) error
	// Brief leaves out latencies and vectors alone.
	Brief bool
	// Settle, if set, is called when all is in the index, before it is asked.
	Settle func() error
	// Progress, if set, hears how far it is.
	Progress io.Writer
}

// Report is what was measured on a set.
type Report struct {
	Set                 string
	Documents, Passages int
	Queries             int
	// Unknown are labels of what isn't there, Unlabelled queries without any,
	// NotIndexed documents that could not be taken.
	Unknown    []string      `json:",omitempty"`
	Unlabelled int           `json:",omitempty"`
	NotIndexed []rag.Problem `json:",omitempty"`
	// Space is the one that was searched; nil without a model.
	Space *rag.Space `json:",omitempty"`
	// Fallback is why there are no vectors.
	Fallback rag.Fallback `json:",omitempty"`
	BM25     Result
	// Vectors and Hybrid are nil without a model.
	Vectors, Hybrid *Result `json:",omitempty"`
	// Gain is of Hybrid over BM25.
	Gain *Comparison `json:",omitempty"`
	// EmbedP50 and EmbedP95 are how long the model took for a question's vector;
	// 0 when all were remembered.
	EmbedP50, EmbedP95 time.Duration
}

// Measure ingests a set into an empty index, has its passages embedded, and asks
// its queries by words, by meaning and by both.
func Measure(ctx context.Context, service rag.Service, filler rag.Filler, set Set, o Options) (*Report, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	index, err := Ingest(ctx, service, "eval", set, func(p rag.Progress) {
		_, _ = fmt.Fprintf(o.Progress, "\r%s: %d of %d documents", o.Name, p.Done, p.Total)
	})
	_, _ = fmt.Fprintln(o.Progress)
	if err != nil {
		return nil, err
	}
	r := &Report{Set: o.Name, Documents: len(set.Corpus), Passages: index.Passages, Queries: len(set.Queries),
		Unknown: set.Unknown, Unlabelled: set.Unlabelled, NotIndexed: index.Problems}
	if r.Space, r.Fallback, err = fill(ctx, service, filler, o); err != nil {
		return nil, err
	}
	if o.Settle != nil {
		if err := o.Settle(); err != nil {
			return nil, err
		}
	}
	index.untimed = o.Brief
	if r.BM25, err = index.Ask(ctx, service, rag.ByWords); err != nil || r.Space == nil {
		return r, err
	}
	var vectors Result
	if !o.Brief {
		if vectors, err = index.Ask(ctx, service, rag.ByMeaning); err != nil {
			return nil, err
		}
		r.Vectors = &vectors
	}
	hybrid, err := index.Ask(ctx, service, rag.ByBoth)
	if err != nil {
		return nil, err
	}
	if hybrid.Fallback != "" || vectors.Fallback != "" {
		return nil, fmt.Errorf("some questions got no vector (%s%s): the figures would be of no method; ask again when the model answers", hybrid.Fallback, vectors.Fallback)
	}
	gain := Compare(hybrid, r.BM25)
	r.Hybrid, r.Gain = &hybrid, &gain
	return r, nil
}

// fill has all passages embedded; no space when there is no model.
func fill(ctx context.Context, service rag.Service, filler rag.Filler, o Options) (*rag.Space, rag.Fallback, error) {
	for {
		if err := filler.Work(ctx); err != nil {
			return nil, "", fmt.Errorf("embed the passages: %w", err)
		}
		state, err := service.Index(ctx, auth.System("evaluation"))
		if err != nil {
			return nil, "", err
		}
		if len(state.Spaces) == 0 {
			return nil, state.Fallback, nil
		}
		space := state.Spaces[len(state.Spaces)-1]
		_, _ = fmt.Fprintf(o.Progress, "%s: %d of %d passages have vectors\n", o.Name, space.Embedded, state.Passages)
		if space.State != rag.SpaceActive {
			continue // a turn ended before all was done
		}
		if o.Weight > 0 && o.Weigh != nil {
			if err := o.Weigh(space.ID, o.Weight); err != nil {
				return nil, "", err
			}
			space.Weight = o.Weight
		}
		return &space, "", nil
	}
}

// Print writes the report for people.
func (r *Report) Print(out io.Writer) error {
	p := &printer{out: out}
	p.line("%s: %d documents in %d passages, %d queries", r.Set, r.Documents, r.Passages, r.Queries)
	if r.Space != nil {
		p.line("%s/%s, %d dimensions, weight %.2f", r.Space.Provider, r.Space.Model, r.Space.Dimensions, r.Space.Weight)
	} else {
		p.line("no vectors (%s): BM25 alone", r.Fallback)
	}
	if r.Unlabelled > 0 {
		p.line("%d queries have no label and were left out", r.Unlabelled)
	}
	if n := len(r.Unknown); n > 0 {
		p.line("%d labels name what isn't there; the first: %s", n, r.Unknown[0])
	}
	if n := len(r.NotIndexed); n > 0 {
		p.line("%d documents could not be indexed; the first: %s: %s", n, r.NotIndexed[0].Path, r.NotIndexed[0].Reason)
	}
	p.line("%-8s %8s %8s %9s %9s %9s %8s %9s", "", "nDCG@10", "MRR@10", "recall@5", "recall@10", "recall@20", "p50", "p95")
	for _, one := range []*Result{&r.BM25, r.Vectors, r.Hybrid} {
		if one != nil {
			p.line("%-8s %8.4f %8.4f %9.4f %9.4f %9.4f %8s %9s", one.Method, one.NDCG, one.MRR,
				one.RecallAt[5], one.RecallAt[10], one.RecallAt[20], short(one.P50), short(one.P95))
		}
	}
	if r.EmbedP50 > 0 {
		p.line("the model takes %s for a question's vector (p95 %s), which the latencies above don't have", short(r.EmbedP50), short(r.EmbedP95))
	}
	if g := r.Gain; g != nil {
		p.line("hybrid against bm25: nDCG@10 %+.4f (%+.1f %%), 95 %% from %+.4f to %+.4f, p = %.4f (paired bootstrap, %d resamples); %d queries better, %d worse, %d the same",
			g.Delta, 100*g.Relative, g.Low, g.High, g.P, g.Resamples, g.Better, g.Worse, g.Equal)
	}
	p.line("")
	return p.err
}

func short(d time.Duration) string {
	return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
}

type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(format string, values ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", values...)
	}
}
