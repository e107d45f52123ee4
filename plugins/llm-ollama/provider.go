package main

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"

	"github.com/goals-tracker/tracker/plugins/internal/ladder"
	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// version is the plugin's.
const version = "0.1.0"

// provider answers the tracker's calls.
type provider struct {
	cfg    *config
	wire   *wire.Client
	chat   *model
	ladder *ladder.Ladder

	mu     sync.Mutex
	models []llm.Model
	seen   time.Time
}

func newSpec(getenv func(string) string) (*llm.Spec, error) {
	cfg, err := parseConfig(getenv)
	if err != nil {
		return nil, err
	}
	d := wire.New(protocol{})
	d.Secrets, d.IdleTimeout, d.Prepare = cfg.secrets(), cfg.idleTimeout, cfg.prepare
	d.Names = wire.Names{Key: "OLLAMA_API_KEY", URL: "OLLAMA_HOST"}
	// No rung of a forced tool: the protocol can't force one.
	p := &provider{cfg: cfg, wire: d, ladder: &ladder.Ladder{Words: map[ladder.Rung][]string{
		ladder.Schema: {"format"}, ladder.JSONMode: {"format"},
	}}}
	if p.chat, err = newModel(cfg, d); err != nil {
		return nil, err
	}
	return &llm.Spec{
		Name: "llm-ollama", Version: version, Remote: cfg.remote(), Discover: p.discover, Generate: p.generate, Embed: p.embed,
	}, nil
}

func (p *provider) generate(ctx context.Context, req *llm.GenerateRequest, emit func(llm.Chunk) error) (*llm.Ending, error) {
	if _, err := p.find(ctx, req.Model, func(c llm.Capabilities) bool { return c.Generate }); err != nil {
		return nil, err
	}
	return p.ladder.Ask(req, func(on ladder.Rung) (*llm.Ending, error) { return p.call(ctx, req, on, emit) })
}

// call asks once, on one rung of the ladder.
func (p *provider) call(ctx context.Context, req *llm.GenerateRequest, on ladder.Rung, emit func(llm.Chunk) error) (*llm.Ending, error) {
	asked := ladder.Shape(req, on)
	messages, err := toMessages(asked.Messages)
	if err != nil {
		return nil, err
	}
	opts := []llms.CallOption{
		llms.WithModel(req.Model), llms.WithMaxTokens(req.MaxTokens), llms.WithStopWords(req.Stop), llms.WithTools(toTools(asked.Tools)),
		llms.WithMetadata(map[string]any{editKey: func(fields map[string]any) error { p.edit(fields, req, on); return nil }}),
		llms.WithStreamingFunc(func(_ context.Context, piece []byte) error { return emit(llm.Chunk{Text: string(piece)}) }),
	}
	if asked.ToolChoice.Tool != "" {
		opts = append(opts, llms.WithToolChoice(llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: asked.ToolChoice.Tool}}))
	} else if asked.ToolChoice.Mode != "" {
		opts = append(opts, llms.WithToolChoice(asked.ToolChoice.Mode))
	}
	res, err := p.chat.GenerateContent(ctx, messages, opts...)
	if err != nil {
		return nil, err
	}
	got, _ := res.Choices[0].GenerationInfo[infoAnswer].(wire.Answer)
	return p.ladder.Finish(req, on, got, res.Choices[0].Content, emit)
}

// edit says what the request needs beyond langchaingo's options. Without
// num_ctx Ollama cuts a longer prompt from its beginning, and says nothing.
func (p *provider) edit(fields map[string]any, req *llm.GenerateRequest, on ladder.Rung) {
	options, _ := fields["options"].(map[string]any)
	if options == nil {
		options = map[string]any{}
	}
	delete(options, "temperature") // the client always sends one
	options["num_ctx"] = p.cfg.context
	if req.Temperature != nil {
		options["temperature"] = *req.Temperature
	}
	if req.TopP != nil {
		options["top_p"] = *req.TopP
	}
	if req.Seed != nil {
		options["seed"] = *req.Seed
	}
	fields["options"] = options
	if req.JSONSchema != "" {
		switch on {
		case ladder.Schema:
			fields["format"] = json.RawMessage(req.JSONSchema)
		case ladder.JSONMode:
			fields["format"] = "json"
		case ladder.Tool, ladder.Prompt:
		}
	}
}

func (p *provider) embed(ctx context.Context, req *llm.EmbedRequest) (*llm.Embeddings, error) {
	m, err := p.find(ctx, req.Model, func(c llm.Capabilities) bool { return c.Embed })
	if err != nil {
		return nil, err
	}
	got, err := (&embedder{inner: p.chat.inner, model: m.ID}).embed(ctx, req.Texts)
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
	out := make([]llms.MessageContent, 0, len(in))
	for i, m := range in {
		mc := llms.MessageContent{Role: chatRoles[m.Role]}
		switch {
		case mc.Role == "":
			return nil, llm.Errorf(llm.CodeInvalidRequest, "message %d has role %d, which there is not", i, m.Role)
		case m.Role == llm.RoleTool:
			mc.Parts = []llms.ContentPart{llms.ToolCallResponse{ToolCallID: m.ToolCallID, Content: m.Text}}
		default:
			mc.Parts = slices.Grow(mc.Parts, 1+len(m.ToolCalls))
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
