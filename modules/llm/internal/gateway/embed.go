package gateway

import (
	"context"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/llm"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
)

const (
	// A batch is bounded in texts and in bytes.
	batchTexts = 256
	batchBytes = 2 << 20
	maxText    = 1 << 20
)

// Embed implements llm.Service.
func (g *Gateway) Embed(ctx context.Context, req llm.EmbedRequest) (*llm.Embeddings, error) {
	texts := make([]string, len(req.Texts))
	for i, t := range req.Texts {
		if len(t) > maxText {
			return nil, llm.ErrBadRequest.New(errs.Say("text %d has %d bytes, at most %d can be embedded", "el texto %d tiene %d bytes y se admiten %d como máximo", i, len(t), maxText))
		}
		texts[i] = strings.ToValidUTF8(t, "\uFFFD")
	}
	if len(texts) == 0 {
		return nil, llm.ErrBadRequest.New(errs.Say("it has no texts", "no tiene textos"))
	}
	routes := g.routes(ctx, llm.Embed, req.Caller)
	if req.Space != nil {
		routes = g.routesIn(ctx, *req.Space, req.Caller)
	}
	if len(routes) == 0 {
		return nil, llm.ErrNoModel.New(string(llm.Embed))
	}
	out, err := g.embedOn(ctx, routes[0], req, texts)
	if err != nil {
		g.log.WarnContext(ctx, "embedding failed", "provider", routes[0].provider.Name, "model", routes[0].model.ID, "error", err)
		// No other route is tried: its vectors would lie in another space.
		return nil, toCaller(ctx, err)
	}
	return out, nil
}

// routesIn finds the one model whose vectors lie in a space, routed or not: an
// index outlives a change of the routes.
func (g *Gateway) routesIn(ctx context.Context, s llm.Space, caller llm.Caller) []route {
	i := slices.IndexFunc(g.providers, func(p *provider) bool { return p.Name == s.Provider })
	if i < 0 {
		return nil
	}
	d, err := g.providers[i].describe(ctx)
	if err != nil {
		return nil
	}
	for _, m := range d.Models {
		if m.ID == s.Model && m.Capabilities.Embed && m.EmbeddingVersion == s.Version && (m.Dimensions == 0 || m.Dimensions == s.Dimensions) {
			return g.allowed(ctx, []route{{provider: g.providers[i], model: m, remote: d.Remote}}, caller)
		}
	}
	return nil
}

func (g *Gateway) embedOn(ctx context.Context, r route, req llm.EmbedRequest, texts []string) (*llm.Embeddings, error) {
	out := &llm.Embeddings{Space: llm.Space{
		Provider: r.provider.Name, Model: r.model.ID, Dimensions: r.model.Dimensions, Version: r.model.EmbeddingVersion,
	}}
	if req.Space != nil {
		out.Space.Dimensions = req.Space.Dimensions
	}
	kind := sdk.EmbedPassage
	if req.Query {
		kind = sdk.EmbedQuery
	}
	for len(texts) > 0 {
		n, bytes := 0, 0
		for n < len(texts) && n < batchTexts && (n == 0 || bytes+len(texts[n]) <= batchBytes) {
			bytes += len(texts[n])
			n++
		}
		var got *sdk.Embeddings
		estimate := sdk.Usage{InputTokens: bytes/2 + n}
		err := r.provider.call(func() error {
			return g.paid(ctx, r, req.Caller, llm.Embed, estimate, &out.Usage, func() (sdk.Usage, error) {
				ctx, cancel := context.WithTimeout(ctx, g.cfg.EmbedTimeout)
				defer cancel()
				var err error
				if got, err = r.provider.Plugin.Embed(ctx, &sdk.EmbedRequest{Model: r.model.ID, Texts: texts[:n], Kind: kind}); err != nil {
					return sdk.Usage{}, err
				}
				if got.Usage == (sdk.Usage{}) {
					return estimate, nil
				}
				return got.Usage, nil
			})
		})
		if err != nil {
			return nil, err
		}
		if out.Space.Dimensions == 0 {
			out.Space.Dimensions = len(got.Vectors[0])
		}
		if d := len(got.Vectors[0]); d != out.Space.Dimensions {
			return nil, sdk.Errorf(sdk.CodeInternal, "%s/%s made vectors of %d dimensions, %d were expected", r.provider.Name, r.model.ID, d, out.Space.Dimensions)
		}
		out.Vectors = append(out.Vectors, got.Vectors...)
		texts = texts[n:]
	}
	return out, nil
}
