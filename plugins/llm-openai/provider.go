package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/tmc/langchaingo/llms"

	"github.com/goals-tracker/tracker/plugins/internal/ladder"
	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// version is the plugin's.
const version = "0.2.0"

// provider answers the tracker's calls.
type provider struct {
	cfg       *config
	chat      llms.Model
	embedders map[string]*embedder
	ladder    *ladder.Ladder
}

func newSpec(getenv func(string) string) (*llm.Spec, error) {
	cfg, err := parseConfig(getenv)
	if err != nil {
		return nil, err
	}
	d := wire.New(protocol{})
	d.Secrets, d.IdleTimeout = cfg.secrets(), cfg.idleTimeout
	d.Names = wire.Names{Key: "OPENAI_API_KEY", URL: "OPENAI_BASE_URL"}
	d.Prepare = cfg.prepare
	p := &provider{cfg: cfg, embedders: map[string]*embedder{}, ladder: newLadder(cfg)}
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

// secrets must never show: the key, and what the headers hold.
func (c *config) secrets() []string {
	out := []string{c.key}
	for _, v := range c.Headers {
		if len(v) >= 8 { // shorter ones would black out common words
			out = append(out, v)
		}
	}
	return out
}

// prepare completes the headers of a request.
func (c *config) prepare(req *http.Request) {
	if c.key == "" {
		req.Header.Del("Authorization")
		req.Header.Del("Api-Key")
	}
	for k, v := range c.Headers {
		req.Header.Set(k, v)
	}
}

func newLadder(cfg *config) *ladder.Ladder {
	l := &ladder.Ladder{
		Words: map[ladder.Rung][]string{
			ladder.Schema:   {"response_format", "json_schema", "json schema", "structured output"},
			ladder.Tool:     {"tool", "function"},
			ladder.JSONMode: {"response_format", "json_object", "json mode"},
		},
		Optional: []string{"stream_options", maxTokensKey, "max_tokens", "temperature", "top_p", "seed", "user"},
	}
	for rung, feature := range map[ladder.Rung]string{ladder.Schema: "json_schema", ladder.Tool: "tools", ladder.JSONMode: "json_mode"} {
		if slices.Contains(cfg.Lacks, feature) {
			delete(l.Words, rung)
		}
	}
	return l
}

func (p *provider) generate(ctx context.Context, req *llm.GenerateRequest, emit func(llm.Chunk) error) (*llm.Ending, error) {
	if !slices.Contains(p.cfg.chatModels, req.Model) {
		return nil, llm.Errorf(llm.CodeInvalidRequest, "model %q is not configured; there are %q", req.Model, p.cfg.chatModels)
	}
	return p.ladder.Ask(req, func(on ladder.Rung) (*llm.Ending, error) { return p.call(ctx, req, on, emit) })
}

// call asks once, on one rung of the ladder.
func (p *provider) call(ctx context.Context, req *llm.GenerateRequest, on ladder.Rung, emit func(llm.Chunk) error) (*llm.Ending, error) {
	asked := p.choose(ladder.Shape(req, on))
	messages, err := toMessages(asked.Messages)
	if err != nil {
		return nil, err
	}
	opts := []llms.CallOption{
		llms.WithModel(req.Model), llms.WithMaxTokens(req.MaxTokens), llms.WithStopWords(req.Stop),
		llms.WithMetadata(map[string]any{editKey: p.edit(req, on)}), llms.WithTools(toTools(asked.Tools)),
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
	return p.ladder.Finish(req, on, got, res.Choices[0].Content, emit)
}

// choose says the choice of a tool by its name in words that other servers know
// too: llama.cpp takes it for "auto", and says nothing.
func (p *provider) choose(req *llm.GenerateRequest) *llm.GenerateRequest {
	i := slices.IndexFunc(req.Tools, func(t llm.Tool) bool { return t.Name == req.ToolChoice.Tool })
	if i < 0 || p.cfg.isOpenAI() || p.cfg.azure() {
		return req
	}
	req.Tools, req.ToolChoice = req.Tools[i:i+1], llm.ToolChoice{Mode: "required"}
	return req
}

func (p *provider) embed(ctx context.Context, req *llm.EmbedRequest) (*llm.Embeddings, error) {
	e, ok := p.embedders[req.Model]
	if !ok {
		return nil, llm.Errorf(llm.CodeInvalidRequest, "embedding model %q is not configured; there are %q", req.Model, p.cfg.embeddingModels)
	}
	got, err := e.embed(ctx, req.Texts)
	if err != nil {
		return nil, err
	}
	return &llm.Embeddings{Vectors: got.Vectors, Usage: got.Usage, Model: got.Model}, nil
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
