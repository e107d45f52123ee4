package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/json"

	"github.com/goals-tracker/tracker/modules/llm"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
)

// maxRemembered bounds an answer that is kept.
const maxRemembered = 256 << 10

// keyOf is equal for requests of one person that the same models would answer;
// nil when the answer is not to be kept.
func (g *Gateway) keyOf(req llm.Request, ask *sdk.GenerateRequest, routes []route) []byte {
	if g.Memory == nil || g.cfg.AnswersKept == 0 || len(req.Tools) > 0 {
		return nil
	}
	what := struct {
		User, Course string
		Purpose      llm.Purpose
		Models       []llm.Source
		Ask          *sdk.GenerateRequest
	}{User: req.UserID, Course: req.CourseID, Purpose: req.Purpose, Ask: ask}
	for _, r := range routes {
		what.Models = append(what.Models, r.source())
	}
	body, err := json.Marshal(what) //nolint:musttag // only compared
	if err != nil {
		return nil // a request that can't be compared is answered anew
	}
	sum := sha256.Sum256(body)
	return sum[:]
}

// recall gives the answer to the same request again; nil when there is none.
func (g *Gateway) recall(ctx context.Context, key []byte, req llm.Request) *llm.Answer {
	if key == nil || req.Fresh {
		return nil
	}
	answer, err := g.Memory.Recall(ctx, key)
	if err != nil {
		g.log.WarnContext(ctx, "earlier answers can't be read, so the model is asked", "error", err)
		return nil
	}
	if answer != nil {
		answer.Remembered, answer.Usage = true, llm.Usage{}
	}
	return answer
}

// remember keeps an answer that is whole.
func (g *Gateway) remember(ctx context.Context, key []byte, req llm.Request, a *llm.Answer) {
	if key == nil || a.Finish != llm.Stopped || len(a.ToolCalls) > 0 || len(a.Text)+len(a.JSON) > maxRemembered {
		return
	}
	if err := g.Memory.Remember(ctx, req.UserID, key, a, g.cfg.AnswersKept); err != nil {
		g.log.WarnContext(ctx, "an answer could not be kept, so it will be asked for again", "error", err)
	}
}
