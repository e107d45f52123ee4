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
}

func (r route) source() llm.Source {
	return llm.Source{Provider: r.provider.Name, Model: r.model.ID, Remote: r.remote}
}

// routes lists the models that may answer for a purpose, best first: the
// configured ones that exist, or the first fitting one of each plugin.
func (g *Gateway) routes(ctx context.Context, purpose llm.Purpose, localOnly bool) []route {
	can := func(m sdk.Model) bool {
		if purpose == llm.Embed {
			return m.Capabilities.Embed
		}
		return m.Capabilities.Generate
	}
	var out []route
	configured, ok := g.cfg.Routes[string(purpose)]
	for _, name := range configured {
		providerName, model, _ := strings.Cut(name, "/")
		i := slices.IndexFunc(g.providers, func(p *provider) bool { return p.Name == providerName })
		if i < 0 {
			continue // not enabled: the next route is for that
		}
		d, err := g.providers[i].describe(ctx)
		if err != nil || localOnly && d.Remote {
			continue
		}
		if j := slices.IndexFunc(d.Models, func(m sdk.Model) bool { return m.ID == model && can(m) }); j >= 0 {
			out = append(out, route{g.providers[i], d.Models[j], d.Remote})
		}
	}
	if ok {
		return out
	}
	for _, p := range g.providers {
		d, err := p.describe(ctx)
		if err != nil || localOnly && d.Remote {
			continue
		}
		if j := slices.IndexFunc(d.Models, can); j >= 0 {
			out = append(out, route{p, d.Models[j], d.Remote})
		}
	}
	return out
}

// final says whether an error ends the call, rather than letting the next
// route try.
func final(ctx context.Context, err error) bool {
	return ctx.Err() != nil || llm.ErrOverBudget.Is(err) || errors.As(err, new(notProviderError))
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
