package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/llm"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
)

// route is a model that may answer.
type route struct {
	provider *provider
	model    sdk.Model
	remote   bool
	// terms hold for the caller; zero where nothing is paid.
	terms llm.Terms
}

func (r route) source() llm.Source {
	return llm.Source{Provider: r.provider.Name, Model: r.model.ID, Remote: r.remote}
}

// routes lists the models that may answer for a purpose, best first: the
// configured ones that exist, or the first fitting one of each plugin. Where
// texts may not leave, those that are on this machine.
func (g *Gateway) routes(ctx context.Context, purpose llm.Purpose, caller llm.Caller) []route {
	configured, ok := g.cfg.RoutesOf(purpose, caller.CourseID)
	var out []route
	if ok {
		out = g.configured(ctx, purpose, configured)
	} else {
		for _, p := range g.providers {
			d, err := p.describe(ctx)
			if err != nil {
				continue
			}
			if j := slices.IndexFunc(d.Models, func(m sdk.Model) bool { return can(m, purpose) }); j >= 0 {
				out = append(out, route{provider: p, model: d.Models[j], remote: d.Remote})
			}
		}
	}
	return g.allowed(ctx, out, caller)
}

// configured are the routes that lead to a model.
func (g *Gateway) configured(ctx context.Context, purpose llm.Purpose, names []string) (out []route) {
	for _, name := range names {
		providerName, model, _ := strings.Cut(name, "/")
		i := slices.IndexFunc(g.providers, func(p *provider) bool { return p.Name == providerName })
		if i < 0 {
			continue // not enabled: the next route is for that
		}
		d, err := g.providers[i].describe(ctx)
		if err != nil {
			continue
		}
		if j := slices.IndexFunc(d.Models, func(m sdk.Model) bool { return m.ID == model && can(m, purpose) }); j >= 0 {
			out = append(out, route{provider: g.providers[i], model: d.Models[j], remote: d.Remote})
		}
	}
	return out
}

// allowed leaves out the models that the caller's texts may not go to.
func (g *Gateway) allowed(ctx context.Context, routes []route, caller llm.Caller) []route {
	if !slices.ContainsFunc(routes, func(r route) bool { return r.remote }) {
		return routes
	}
	terms := g.terms(ctx, caller)
	out := routes[:0]
	for _, r := range routes {
		if r.remote && (caller.LocalOnly || terms.LocalOnly) {
			continue
		}
		r.terms = terms
		out = append(out, r)
	}
	return out
}

func can(m sdk.Model, purpose llm.Purpose) bool {
	switch purpose {
	case llm.Embed:
		return m.Capabilities.Embed
	case llm.Rerank:
		return m.Capabilities.Rerank
	default:
		return m.Capabilities.Generate
	}
}

// final says whether an error ends the call, rather than letting the next
// route try. A spent budget does not: what costs nothing may still answer.
func final(ctx context.Context, err error) bool {
	return ctx.Err() != nil || !llm.ErrOverBudget.Is(err) && errors.As(err, new(notProviderError))
}

// affordable says whether a route is worth a try after err.
func (r route) affordable(err error) bool {
	return !r.remote || err == nil || !llm.ErrOverBudget.Is(err)
}

// toCaller turns the last route's error into one that callers may read.
func toCaller(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var ours notProviderError
	if errors.As(err, &ours) {
		return ours.error
	}
	var e *sdk.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case sdk.CodeInvalidRequest, sdk.CodeUnsupported:
		return llm.ErrBadRequest.New(e.Message).Because(err)
	default:
		return llm.ErrUnavailable.New().After(e.RetryAfter).Because(err)
	}
}
