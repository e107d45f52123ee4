package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"

	"github.com/goals-tracker/tracker/plugins/internal/ladder"
	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// version is the plugin's.
const version = "0.1.0"

// provider answers the tracker's calls.
type provider struct {
	models []llm.Model
	chat   llms.Model
	// ladders of models that promise schemas, and of those that don't.
	full, low *ladder.Ladder
}

func newSpec(getenv func(string) string) (*llm.Spec, error) {
	cfg, err := parseConfig(getenv)
	if err != nil {
		return nil, err
	}
	d := wire.New(protocol{})
	d.Secrets, d.IdleTimeout, d.Prepare = cfg.secrets(), cfg.idleTimeout, cfg.prepare
	d.Names = wire.Names{Key: "ANTHROPIC_API_KEY", URL: "ANTHROPIC_BASE_URL"}
	p := &provider{models: cfg.describe(), full: newLadder(), low: newLadder()}
	delete(p.low.Words, ladder.Schema)
	if p.chat, err = newModel(cfg, d); err != nil {
		return nil, err
	}
	return &llm.Spec{Name: "llm-anthropic", Version: version, Remote: cfg.remote(), Models: p.models, Generate: p.generate}, nil
}

// unfit are the words of a schema that structured outputs refuse.
var unfit = []string{
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
	"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "propertyNames",
}

func newLadder() *ladder.Ladder {
	return &ladder.Ladder{
		Words: map[ladder.Rung][]string{
			ladder.Schema: {"output_config", "output_format", "output format", "structured output", "json_schema"},
			ladder.Tool:   {"tool"},
		},
		// Newer models take one of the two, and the newest neither.
		Optional: []string{"top_p", "temperature"},
		Fits:     func(schema string) bool { return ladder.Strict(schema, unfit...) },
	}
}

func (p *provider) generate(ctx context.Context, req *llm.GenerateRequest, emit func(llm.Chunk) error) (*llm.Ending, error) {
	i := slices.IndexFunc(p.models, func(m llm.Model) bool { return m.ID == req.Model })
	if i < 0 {
		return nil, llm.Errorf(llm.CodeInvalidRequest, "model %q is not configured", req.Model)
	}
	steps := p.full
	if !p.models[i].Capabilities.JSONSchema {
		steps = p.low
	}
	return steps.Ask(req, func(on ladder.Rung) (*llm.Ending, error) {
		return p.call(ctx, req, on, p.models[i], steps, emit)
	})
}

// call asks once, on one rung of the ladder.
func (p *provider) call(ctx context.Context, req *llm.GenerateRequest, on ladder.Rung, m llm.Model, steps *ladder.Ladder, emit func(llm.Chunk) error) (*llm.Ending, error) {
	asked := ladder.Shape(req, on)
	messages, err := toMessages(asked.Messages)
	if err != nil {
		return nil, err
	}
	limit := req.MaxTokens
	if limit == 0 {
		limit = m.MaxOutputTokens
	}
	if limit == 0 {
		limit = defaultOutput
	}
	opts := []llms.CallOption{
		llms.WithModel(req.Model), llms.WithMaxTokens(limit), llms.WithStopWords(req.Stop), llms.WithTools(toTools(asked.Tools)),
		llms.WithMetadata(map[string]any{editKey: func(fields map[string]any) error { return edit(fields, req, on, steps.Quirks(req.Model)) }}),
	}
	if asked.ToolChoice.Tool != "" {
		opts = append(opts, llms.WithToolChoice(llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: asked.ToolChoice.Tool}}))
	} else if asked.ToolChoice.Mode != "" {
		opts = append(opts, llms.WithToolChoice(asked.ToolChoice.Mode))
	}
	if !ladder.Forced(req, on) {
		opts = append(opts, llms.WithStreamingFunc(func(_ context.Context, piece []byte) error {
			return emit(llm.Chunk{Text: string(piece)})
		}))
	}
	res, err := p.chat.GenerateContent(ctx, messages, opts...)
	if err != nil {
		return nil, err
	}
	got, _ := res.Choices[0].GenerationInfo[infoAnswer].(wire.Answer)
	return steps.Finish(req, on, got, res.Choices[0].Content, emit)
}

// edit says what the request needs beyond langchaingo's options.
func edit(fields map[string]any, req *llm.GenerateRequest, on ladder.Rung, refused map[string]bool) error {
	delete(fields, "temperature") // the client always sends one
	if req.Temperature != nil && !refused["temperature"] {
		fields["temperature"] = *req.Temperature
	}
	if req.TopP != nil && !refused["top_p"] {
		fields["top_p"] = *req.TopP
	}
	if req.EndUser != "" {
		fields["metadata"] = map[string]any{"user_id": req.EndUser}
	}
	if req.JSONSchema != "" && on == ladder.Schema {
		fields["output_config"] = map[string]any{"format": map[string]any{"type": "json_schema", "schema": json.RawMessage(req.JSONSchema)}}
	}
	return nil
}

func toTools(in []llm.Tool) []llms.Tool {
	out := make([]llms.Tool, 0, len(in))
	for _, t := range in {
		schema := json.RawMessage(t.ParametersSchema)
		if len(schema) == 0 {
			schema = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		out = append(out, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: t.Name, Description: t.Description, Parameters: schema}})
	}
	return out
}

var chatRoles = map[llm.Role]llms.ChatMessageType{
	llm.RoleSystem: llms.ChatMessageTypeSystem, llm.RoleUser: llms.ChatMessageTypeHuman,
	llm.RoleAssistant: llms.ChatMessageTypeAI, llm.RoleTool: llms.ChatMessageTypeTool,
}

func toMessages(in []llm.Message) ([]llms.MessageContent, error) {
	var out []llms.MessageContent
	for i, m := range in {
		mc := llms.MessageContent{Role: chatRoles[m.Role]}
		switch {
		case mc.Role == "":
			return nil, llm.Errorf(llm.CodeInvalidRequest, "message %d has role %d, which there is not", i, m.Role)
		case m.Role == llm.RoleTool:
			mc.Parts = []llms.ContentPart{llms.ToolCallResponse{ToolCallID: m.ToolCallID, Content: m.Text}}
		default:
			if strings.TrimSpace(m.Text) != "" { // the provider refuses an empty block
				mc.Parts = append(mc.Parts, llms.TextContent{Text: m.Text})
			}
			for _, c := range m.ToolCalls {
				mc.Parts = append(mc.Parts, llms.ToolCall{ID: c.ID, Type: "function", FunctionCall: &llms.FunctionCall{Name: c.Name, Arguments: c.Arguments}})
			}
		}
		out = append(out, mc)
	}
	return out, nil
}
