// Package llmtest helps other modules to test what they do with models: a fake
// Service, and the real one over a real plugin and a scripted provider.
package llmtest

import (
	"context"
	"encoding/json"
	"strings"
	"sync"

	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// Fake answers by functions. The zero value has no model. Safe for concurrent
// use once it is set up.
type Fake struct {
	// Answers says what Generate answers; nil means that there is no model.
	Answers func(llm.Request) (*llm.Answer, error)
	// Dimensions of the vectors that Embed makes (script.Vector); 0 means that
	// there is no embedding model.
	Dimensions int

	mu       sync.Mutex
	requests []llm.Request
}

var _ llm.Service = (*Fake)(nil)

// JSON is an answer that holds a value.
func JSON(value any) (*llm.Answer, error) {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return &llm.Answer{Text: string(raw), JSON: raw, Finish: llm.Stopped, Source: llm.Source{Provider: "fake", Model: "fake"}}, nil
}

// Requests returns what was asked so far.
func (f *Fake) Requests() []llm.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]llm.Request(nil), f.requests...)
}

// Generate implements llm.Service.
func (f *Fake) Generate(ctx context.Context, req llm.Request) (*llm.Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.requests = append(f.requests, req)
	f.mu.Unlock()
	if f.Answers == nil {
		return nil, llm.ErrNoModel.New(string(req.Purpose))
	}
	answer, err := f.Answers(req)
	if err == nil && req.Stream != nil {
		req.Stream(llm.Piece{Text: answer.Text})
	}
	return answer, err
}

// Embed implements llm.Service.
func (f *Fake) Embed(_ context.Context, req llm.EmbedRequest) (*llm.Embeddings, error) {
	if f.Dimensions == 0 {
		return nil, llm.ErrNoModel.New(string(llm.Embed))
	}
	out := &llm.Embeddings{Space: llm.Space{Provider: "fake", Model: "fake", Dimensions: f.Dimensions, Version: "1"}}
	for _, t := range req.Texts {
		out.Vectors = append(out.Vectors, script.Vector(t, f.Dimensions))
	}
	return out, nil
}

// Rerank implements llm.Service: a passage scores by the words of the query
// that it holds, where there is an embedding model.
func (f *Fake) Rerank(_ context.Context, req llm.RerankRequest) (*llm.Ranking, error) {
	if f.Dimensions == 0 {
		return nil, llm.ErrNoModel.New(string(llm.Rerank))
	}
	out := &llm.Ranking{Source: llm.Source{Provider: "fake", Model: "fake"}}
	for _, p := range req.Passages {
		score := 0.0
		for _, word := range strings.Fields(strings.ToLower(req.Query)) {
			if strings.Contains(strings.ToLower(p), word) {
				score++
			}
		}
		out.Scores = append(out.Scores, score)
	}
	return out, nil
}

// Available implements llm.Service.
func (f *Fake) Available(purpose llm.Purpose) bool {
	if purpose == llm.Embed || purpose == llm.Rerank {
		return f.Dimensions > 0
	}
	return f.Answers != nil
}

// Models implements llm.Service.
func (f *Fake) Models(context.Context) []llm.Model {
	if f.Answers == nil && f.Dimensions == 0 {
		return nil
	}
	return []llm.Model{{
		Source:    llm.Source{Provider: "fake", Model: "fake"},
		Generates: f.Answers != nil, Embeds: f.Dimensions > 0, Dimensions: f.Dimensions,
	}}
}
