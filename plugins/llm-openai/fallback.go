package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/goals-tracker/tracker/sdk/llm"
)

// rung is one way to make a model answer in the shape of a schema, best first.
// On the last ones the answer may miss the schema: the tracker validates every
// answer and asks once for a repair.
type rung int

const (
	rungSchema   rung = iota // response_format json_schema
	rungTool                 // a forced tool whose parameters are the schema
	rungJSONMode             // response_format json_object, schema in the prompt
	rungPrompt               // schema in the prompt
)

// features lists, for each rung, the words by which servers refuse it.
var features = map[rung][]string{
	rungSchema:   {"response_format", "json_schema", "json schema", "structured output"},
	rungTool:     {"tool", "function"},
	rungJSONMode: {"response_format", "json_object", "json mode"},
}

// optional fields that servers refuse although the request works without them.
var optionalFields = []string{"stream_options", maxTokensKey, "max_tokens", "temperature", "top_p", "seed", "user"}

const maxAttempts = 8

// climbDown asks, and asks again with less when the server does not know a
// feature. What was learned is kept per model, so the detour is taken once.
func (p *provider) climbDown(ctx context.Context, req *llm.GenerateRequest, messages []llms.MessageContent, emit func(llm.Chunk) error) (*llm.Ending, error) {
	if req.JSONSchema != "" && !json.Valid([]byte(req.JSONSchema)) {
		return nil, llm.Errorf(llm.CodeInvalidRequest, "the schema of the answer is not JSON")
	}
	for attempt := 1; ; attempt++ {
		on := p.rungFor(req)
		end, err := p.call(ctx, req, messages, on, emit)
		var refused *apiError
		if err == nil || !errors.As(err, &refused) || attempt == maxAttempts {
			return end, unwrap(err)
		}
		switch field := refusedField(refused, p.known(req.Model)); {
		case field != "":
			p.learn(req.Model, field)
		case req.JSONSchema != "" && on < rungPrompt && refused.about(features[on]...):
			p.stepDown(req.Model, on)
		default:
			return nil, unwrap(err)
		}
	}
}

// unwrap leaves only the typed error for the tracker.
func unwrap(err error) error {
	var e *llm.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}

// refusedField names an optional field that the server refused and that was
// not yet left out.
func refusedField(e *apiError, known map[string]bool) string {
	for _, f := range optionalFields {
		if !known[f] && e.about(`'`+f+`'`, `"`+f+`"`, `\"`+f+`\"`) {
			return f
		}
	}
	return ""
}

func (p *provider) rungFor(req *llm.GenerateRequest) rung {
	p.mu.Lock()
	defer p.mu.Unlock()
	on := p.rungs[req.Model]
	if on == rungTool && len(req.Tools) > 0 {
		on = rungJSONMode // a forced tool would take the place of the request's own
	}
	return on
}

func (p *provider) stepDown(model string, from rung) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rungs[model] = max(p.rungs[model], from+1)
}

func (p *provider) known(model string) map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]bool{}
	for k := range p.quirks[model] {
		out[k] = true
	}
	return out
}

func (p *provider) learn(model, field string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quirks[model] == nil {
		p.quirks[model] = map[string]bool{}
	}
	p.quirks[model][field] = true
}

// wishes says what the request needs beyond langchaingo's options.
func (p *provider) wishes(req *llm.GenerateRequest) *wishes {
	w := &wishes{set: map[string]any{}, rename: map[string]string{}}
	known := p.known(req.Model)
	if req.Temperature != nil {
		w.set["temperature"] = *req.Temperature
	} else {
		w.drop = append(w.drop, "temperature") // the client always sends one
	}
	if req.TopP != nil {
		w.set["top_p"] = *req.TopP
	}
	if req.Seed != nil {
		w.set["seed"] = *req.Seed
	}
	if req.EndUser != "" {
		w.set["user"] = req.EndUser
	}
	if p.oldMaxTokens(known) {
		w.rename[maxTokensKey] = "max_tokens"
	}
	for f := range known {
		if f != maxTokensKey && f != "max_tokens" {
			w.drop = append(w.drop, f)
		}
	}
	return w
}

// oldMaxTokens says which name of the bound the server takes: OpenAI itself
// wants the new one, most other servers know the old one only.
func (p *provider) oldMaxTokens(known map[string]bool) bool {
	switch {
	case known[maxTokensKey]:
		return true
	case known["max_tokens"]:
		return false
	default:
		return !p.cfg.isOpenAI()
	}
}

func withSchemaInPrompt(messages []llms.MessageContent, schema string) []llms.MessageContent {
	text := "Answer with one JSON value and nothing else: no prose, no code fence. It must fit this JSON Schema:\n" + schema
	return append([]llms.MessageContent{{Role: llms.ChatMessageTypeSystem, Parts: []llms.ContentPart{llms.TextContent{Text: text}}}}, messages...)
}

func responseFormat(req *llm.GenerateRequest) map[string]any {
	return map[string]any{"type": "json_schema", "json_schema": map[string]any{
		"name": req.JSONSchemaName, "schema": json.RawMessage(req.JSONSchema), "strict": strictable(req.JSONSchema),
	}}
}

// strictable says whether a schema is within what the provider's strict mode
// takes: every object closed and all its properties required.
func strictable(schema string) bool {
	var v any
	return json.Unmarshal([]byte(schema), &v) == nil && strictNode(v)
}

func strictNode(v any) bool {
	switch n := v.(type) {
	case []any:
		for _, x := range n {
			if !strictNode(x) {
				return false
			}
		}
	case map[string]any:
		if props, ok := n["properties"].(map[string]any); ok {
			required, _ := n["required"].([]any)
			if n["additionalProperties"] != false || len(required) != len(props) {
				return false
			}
		}
		for k, x := range n {
			if strings.Contains(" oneOf allOf not if then else patternProperties ", " "+k+" ") || !strictNode(x) {
				return false
			}
		}
	}
	return true
}
