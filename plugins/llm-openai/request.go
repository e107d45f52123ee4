package main

import (
	"encoding/json"

	"github.com/goals-tracker/tracker/plugins/internal/ladder"
	"github.com/goals-tracker/tracker/sdk/llm"
)

const maxTokensKey = "max_completion_tokens"

// edit says what the request needs beyond langchaingo's options.
func (p *provider) edit(req *llm.GenerateRequest, on ladder.Rung) func(map[string]any) error {
	return func(fields map[string]any) error {
		delete(fields, "temperature") // the client always sends one
		for name, v := range map[string]any{"temperature": req.Temperature, "top_p": req.TopP, "seed": req.Seed} {
			switch v := v.(type) {
			case *float64:
				if v != nil {
					fields[name] = *v
				}
			case *int64:
				if v != nil {
					fields[name] = *v
				}
			}
		}
		if req.EndUser != "" {
			fields["user"] = req.EndUser
		}
		if req.JSONSchema != "" {
			switch on {
			case ladder.Schema:
				fields["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{
					"name": req.JSONSchemaName, "schema": json.RawMessage(req.JSONSchema), "strict": ladder.Strict(req.JSONSchema),
				}}
			case ladder.JSONMode:
				fields["response_format"] = map[string]any{"type": "json_object"}
			case ladder.Tool, ladder.Prompt:
			}
		}
		refused := p.ladder.Quirks(req.Model)
		if v, ok := fields[maxTokensKey]; ok && p.oldMaxTokens(refused) {
			delete(fields, maxTokensKey)
			fields["max_tokens"] = v
		}
		for f := range refused {
			if f != maxTokensKey && f != "max_tokens" {
				delete(fields, f)
			}
		}
		return nil
	}
}

// oldMaxTokens says which name of the bound the server takes: OpenAI itself
// and Azure want the new one, most other servers know the old one only.
func (p *provider) oldMaxTokens(refused map[string]bool) bool {
	switch {
	case refused[maxTokensKey]:
		return true
	case refused["max_tokens"]:
		return false
	default:
		return !p.cfg.isOpenAI() && !p.cfg.azure()
	}
}
