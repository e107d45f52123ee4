package gateway

import (
	"context"
	"slices"
	"time"

	"github.com/goals-tracker/tracker/modules/llm"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
)

// paid runs one call of a provider on the ledger: reserved before, settled or
// released after, whatever becomes of the caller. took says what the call took
// so far, also when it failed.
func (g *Gateway) paid(ctx context.Context, r route, caller llm.Caller, purpose llm.Purpose, estimate sdk.Usage, total *llm.Usage, fn func() (took sdk.Usage, err error)) error {
	e := llm.Entry{
		Caller: caller, Purpose: purpose, Source: r.source(), PriceVersion: llm.PriceVersion,
		InputTokens: estimate.InputTokens, OutputTokens: estimate.OutputTokens, CostMicros: g.cost(r, estimate),
	}
	if !r.remote && (purpose == llm.Embed || purpose == llm.Rerank) {
		return g.free(ctx, total, fn)
	}
	id, err := g.Ledger.Reserve(ctx, e, g.caps(r.terms))
	if err != nil {
		return notProviderError{err}
	}
	took, callErr := fn()
	if took == (sdk.Usage{}) && underWay(ctx, callErr) {
		took.InputTokens = estimate.InputTokens
	}
	if callErr != nil && ctx.Err() != nil {
		callErr = notProviderError{callErr} // the caller's own end
	}
	// The books are kept even when the caller has left.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if took == (sdk.Usage{}) && callErr != nil {
		err = g.Ledger.Release(ctx, id)
	} else {
		e.InputTokens, e.OutputTokens, e.CostMicros = took.InputTokens, took.OutputTokens, g.cost(r, took)
		total.InputTokens += e.InputTokens
		total.OutputTokens += e.OutputTokens
		total.CostMicros += e.CostMicros
		total.LedgerIDs = append(total.LedgerIDs, id)
		err = g.Ledger.Settle(ctx, id, e)
	}
	if err != nil {
		// The estimate stays in the books: dearer, never cheaper.
		g.log.ErrorContext(ctx, "model call could not be settled", "usage", id.String(), "provider", r.provider.Name, "error", err)
	}
	return callErr
}

// underWay says whether a call that brought nothing was given up, or cut off,
// while the provider was at work: it bills what it read, and who asks and leaves
// again and again would pass any cap for nothing.
func underWay(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || slices.Contains(sent, sdk.CodeOf(err)))
}

// sent are the codes of calls that the provider may have read.
var sent = []sdk.Code{sdk.CodeDeadline, sdk.CodeCanceled, sdk.CodeInterrupted}

// free runs a call of a model on this machine that answers in milliseconds, as
// for each search: nothing is paid, and a row for each would cost more than it.
func (g *Gateway) free(ctx context.Context, total *llm.Usage, fn func() (sdk.Usage, error)) error {
	took, err := fn()
	if err != nil && ctx.Err() != nil {
		return notProviderError{err}
	}
	total.InputTokens += took.InputTokens
	return err
}

func (g *Gateway) cost(r route, u sdk.Usage) int64 {
	if !r.remote {
		return 0
	}
	return g.cfg.Price(r.provider.Name, r.model.ID).Cost(u.InputTokens, u.OutputTokens)
}

// terms are what holds for a caller; whoever can't be asked about is treated as
// one who set nothing but wants nothing to leave.
func (g *Gateway) terms(ctx context.Context, c llm.Caller) llm.Terms {
	if g.Terms == nil {
		return llm.Terms{}
	}
	t, err := g.Terms.Terms(ctx, c)
	if err != nil {
		g.log.WarnContext(ctx, "what a learner and a course set of models is not known, so only models on this machine are asked", "error", err)
		return llm.Terms{LocalOnly: true}
	}
	return t
}

// caps are the configured ones, but where a person or a course has others.
func (g *Gateway) caps(t llm.Terms) llm.Caps {
	caps := llm.Caps{Learner: g.cfg.LearnerDaily, Course: g.cfg.CourseDaily, Team: g.cfg.TeamDaily}
	if t.Learner != nil {
		caps.Learner = *t.Learner
	}
	if t.Course != nil {
		caps.Course = *t.Course
	}
	return caps
}
