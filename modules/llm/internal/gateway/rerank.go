package gateway

import (
	"context"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/llm"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
)

// Rerank implements llm.Service.
func (g *Gateway) Rerank(ctx context.Context, req llm.RerankRequest) (*llm.Ranking, error) {
	if strings.TrimSpace(req.Query) == "" || len(req.Passages) == 0 || len(req.Passages) > llm.MaxReranked {
		return nil, llm.ErrBadRequest.New(errs.Say("it has %d passages, 1 to %d can be ranked, and needs a question",
			"tiene %d pasajes, se admiten de 1 a %d, y necesita una pregunta", len(req.Passages), llm.MaxReranked))
	}
	ask := &sdk.RerankRequest{Query: strings.ToValidUTF8(req.Query, "\uFFFD"), Passages: make([]string, len(req.Passages))}
	bytes := 0
	for i, p := range req.Passages {
		if len(p) > maxText {
			return nil, llm.ErrBadRequest.New(errs.Say("passage %d has %d bytes, at most %d can be ranked", "el pasaje %d tiene %d bytes y se admiten %d como máximo", i, len(p), maxText))
		}
		ask.Passages[i] = strings.ToValidUTF8(p, "\uFFFD")
		bytes += len(p) + len(ask.Query)
	}
	routes := g.routes(ctx, llm.Rerank, req.Caller)
	if len(routes) == 0 {
		return nil, llm.ErrNoModel.New(string(llm.Rerank))
	}
	var err error
	for _, r := range routes {
		if !r.affordable(err) {
			continue
		}
		var out *llm.Ranking
		if out, err = g.rankOn(ctx, r, req.Caller, ask, sdk.Usage{InputTokens: tokens(bytes)}); err == nil {
			return out, nil
		}
		g.log.WarnContext(ctx, "ranking failed", "provider", r.provider.Name, "model", r.model.ID, "error", err)
		if final(ctx, err) {
			break
		}
	}
	return nil, toCaller(ctx, err)
}

func (g *Gateway) rankOn(ctx context.Context, r route, caller llm.Caller, ask *sdk.RerankRequest, estimate sdk.Usage) (*llm.Ranking, error) {
	out := &llm.Ranking{Source: r.source()}
	this := *ask
	this.Model = r.model.ID
	err := r.provider.call(func() error {
		return g.paid(ctx, r, caller, llm.Rerank, estimate, &out.Usage, func() (sdk.Usage, error) {
			ctx, cancel := context.WithTimeout(ctx, g.cfg.EmbedTimeout)
			defer cancel()
			got, err := r.provider.Plugin.Rerank(ctx, &this)
			if err != nil {
				return sdk.Usage{}, err
			}
			if len(got.Scores) != len(ask.Passages) {
				return estimate, sdk.Errorf(sdk.CodeInternal, "%s/%s gave %d scores to %d passages", r.provider.Name, r.model.ID, len(got.Scores), len(ask.Passages))
			}
			out.Scores = got.Scores
			if got.Usage == (sdk.Usage{}) {
				return estimate, nil
			}
			return got.Usage, nil
		})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
