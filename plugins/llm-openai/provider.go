package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/tmc/langchaingo/llms"

	"github.com/goals-tracker/tracker/sdk/llm"
)

// version is the plugin's.
const version = "0.1.0"

// provider answers the tracker's calls.
type provider struct {
	cfg       *config
	chat      llms.Model
	embedders map[string]*embedder

	mu sync.Mutex
	// rungs and quirks are what was learned of each model: see fallback.go.
	rungs  map[string]rung
	quirks map[string]map[string]bool
}

func newSpec(getenv func(string) string) (*llm.Spec, error) {
	cfg, err := parseConfig(getenv)
	if err != nil {
		return nil, err
	}
	d := newDoer(cfg)
	p := &provider{cfg: cfg, embedders: map[string]*embedder{}, rungs: map[string]rung{}, quirks: map[string]map[string]bool{}}
	if p.chat, err = newModel(cfg, d); err != nil {
		return nil, err
	}
	for _, id := range cfg.embeddingModels {
		if p.embedders[id], err = newEmbedder(cfg, d, id); err != nil {
			return nil, err
		}
	}
	spec := &llm.Spec{Name: "llm-openai", Version: version, Remote: cfg.remote(), Models: cfg.models()}
	if len(cfg.chatModels) > 0 {
		spec.Generate = p.generate
	}
	if len(cfg.embeddingModels) > 0 {
		spec.Embed = p.embed
	}
	return spec, nil
}

func (p *provider) generate(ctx context.Context, req *llm.GenerateRequest, emit func(llm.Chunk) error) (*llm.Ending, error) {
	if !slices.Contains(p.cfg.chatModels, req.Model) {
		return nil, llm.Errorf(llm.CodeInvalidRequest, "model %q is not configured; there are %q", req.Model, p.cfg.chatModels)
	}
	messages, err := toMessages(req.Messages)
	if err != nil {
		return nil, err
	}
	return p.climbDown(ctx, req, messages, emit)
}

// call asks once, on one rung of the ladder.
func (p *provider) call(ctx context.Context, req *llm.GenerateRequest, messages []llms.MessageContent, on rung, emit func(llm.Chunk) error) (*llm.Ending, error) {
	w := p.wishes(req)
	opts := []llms.CallOption{
		llms.WithModel(req.Model), llms.WithMaxTokens(req.MaxTokens), llms.WithStopWords(req.Stop),
		llms.WithMetadata(map[string]any{wishesKey: w}),
	}
	tools, choice := req.Tools, req.ToolChoice
	if req.JSONSchema != "" {
		switch on {
		case rungSchema:
			w.set["response_format"] = responseFormat(req)
		case rungTool:
			tools = []llm.Tool{{Name: req.JSONSchemaName, Description: "Give the answer.", ParametersSchema: req.JSONSchema}}
			choice = llm.ToolChoice{Tool: req.JSONSchemaName}
		case rungJSONMode:
			w.set["response_format"] = map[string]any{"type": "json_object"}
		case rungPrompt:
		}
		if on >= rungJSONMode {
			messages = withSchemaInPrompt(messages, req.JSONSchema)
		}
	}
	var given []llms.Tool
	for _, t := range tools {
		schema := json.RawMessage(t.ParametersSchema)
		if len(schema) == 0 {
			schema = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		if !json.Valid(schema) {
			return nil, llm.Errorf(llm.CodeInvalidRequest, "the parameters schema of tool %q is not JSON", t.Name)
		}
		given = append(given, llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: t.Name, Description: t.Description, Parameters: schema}})
	}
	opts = append(opts, llms.WithTools(given))
	if choice.Tool != "" {
		opts = append(opts, llms.WithToolChoice(llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: choice.Tool}}))
	} else if choice.Mode != "" {
		opts = append(opts, llms.WithToolChoice(choice.Mode))
	}
	forced := on == rungTool && req.JSONSchema != ""
	if !forced {
		opts = append(opts, llms.WithStreamingFunc(func(_ context.Context, piece []byte) error {
			return emit(llm.Chunk{Text: string(piece)})
		}))
	}
	res, err := p.chat.GenerateContent(ctx, messages, opts...)
	if err != nil {
		return nil, err
	}
	got, _ := res.Choices[0].GenerationInfo[infoAnswer].(answer)
	if forced {
		return finishForced(res.Choices[0].Content, got, emit)
	}
	if len(got.toolCalls) > 0 {
		if err := emit(llm.Chunk{ToolCalls: numbered(got.toolCalls)}); err != nil {
			return nil, err
		}
	}
	return ending(got), nil
}

// finishForced turns the call that stands for a schema back into text.
func finishForced(text string, got answer, emit func(llm.Chunk) error) (*llm.Ending, error) {
	if len(got.toolCalls) > 0 {
		text, got.toolCalls = got.toolCalls[0].Arguments, nil
		if got.finish == "tool_calls" {
			got.finish = "stop"
		}
	}
	if err := emit(llm.Chunk{Text: text}); err != nil {
		return nil, err
	}
	return ending(got), nil
}

func (p *provider) embed(ctx context.Context, req *llm.EmbedRequest) (*llm.Embeddings, error) {
	e, ok := p.embedders[req.Model]
	if !ok {
		return nil, llm.Errorf(llm.CodeInvalidRequest, "embedding model %q is not configured; there are %q", req.Model, p.cfg.embeddingModels)
	}
	vectors, said, err := e.embed(ctx, req.Texts)
	if err != nil {
		return nil, err
	}
	return &llm.Embeddings{Vectors: vectors, Usage: said.usage, Model: said.model}, nil
}

func ending(a answer) *llm.Ending {
	e := &llm.Ending{Usage: a.usage, Model: a.model, Refusal: a.refusal}
	switch {
	case a.refusal != "":
		e.Reason = llm.FinishRefusal
	case a.finish == "length":
		e.Reason = llm.FinishLength
	case a.finish == "content_filter":
		e.Reason = llm.FinishContentFilter
	case len(a.toolCalls) > 0:
		// Some servers say "stop" here, or "function_call".
		e.Reason = llm.FinishToolCalls
	default:
		e.Reason = llm.FinishStop
	}
	return e
}

// numbered gives an id to calls that came without one.
func numbered(calls []llm.ToolCall) []llm.ToolCall {
	for i := range calls {
		if calls[i].ID == "" {
			calls[i].ID = fmt.Sprintf("call_%d", i)
		}
	}
	return calls
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
			if m.Text != "" {
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
