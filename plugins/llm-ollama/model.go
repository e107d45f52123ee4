package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/ollama"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// editKey is the key of langchaingo's metadata under which [model] takes what
// the options can't say: a func(map[string]any) error on the request's fields.
const editKey = "edit"

// infoAnswer is the key of GenerationInfo under which [model] adds its answer.
const infoAnswer = "Answer"

// model is langchaingo's chat model on Ollama's protocol, mended: tools, calls
// and their results are sent and read.
type model struct {
	inner *ollama.LLM
}

var _ llms.Model = (*model)(nil)

func newModel(c *config, d *wire.Client) (*model, error) {
	options := []ollama.Option{ollama.WithServerURL(c.base.String()), ollama.WithHTTPClient(&http.Client{Transport: d})}
	if c.KeepAlive != "" {
		options = append(options, ollama.WithKeepAlive(c.KeepAlive))
	}
	inner, err := ollama.New(options...)
	if err != nil {
		return nil, fmt.Errorf("make Ollama client: %w", err)
	}
	return &model{inner: inner}, nil
}

// GenerateContent implements llms.Model. Errors are of type llm.Error (sdk).
func (m *model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var opts llms.CallOptions
	for _, o := range options {
		o(&opts)
	}
	tools, demand := chosen(opts.Tools, opts.ToolChoice)
	if demand != "" {
		messages = slices.Insert(slices.Clone(messages), 0, llms.TextParts(llms.ChatMessageTypeSystem, demand))
	}
	plain, rest, err := texts(messages)
	if err != nil {
		return nil, err
	}
	more, _ := opts.Metadata[editKey].(func(map[string]any) error)
	ex := &wire.Exchange{Edit: func(fields map[string]any) error {
		complete(fields, rest, tools)
		if more == nil {
			return nil
		}
		return more(fields)
	}}
	var stopped error
	callback := opts.StreamingFunc
	// Always streamed: one path to mend, and a silent server is noticed.
	options = append(slices.Clone(options), llms.WithStreamingFunc(func(ctx context.Context, piece []byte) error {
		if len(piece) == 0 || callback == nil {
			return nil
		}
		stopped = callback(ctx, piece)
		return stopped
	}))
	res, err := m.inner.GenerateContent(wire.With(ctx, ex), plain, options...)
	if stopped != nil {
		return nil, stopped
	}
	got, failed := ex.Result(ctx)
	if failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	choice := res.Choices[0]
	choice.StopReason = got.Ending().Reason.String()
	for _, c := range got.ToolCalls {
		choice.ToolCalls = append(choice.ToolCalls, llms.ToolCall{
			ID: c.ID, Type: "function", FunctionCall: &llms.FunctionCall{Name: c.Name, Arguments: c.Arguments},
		})
	}
	choice.GenerationInfo[infoAnswer] = got
	return res, nil
}

// Call implements llms.Model.
func (m *model) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, options...)
}

// texts gives the client what it takes, one text a message; rest is what each
// message has besides.
func texts(messages []llms.MessageContent) (plain []llms.MessageContent, rest []map[string]any, err error) {
	names := map[string]string{} // of the tools, by the ids of their calls
	for _, m := range messages {
		var text []string
		more := map[string]any{}
		var calls []map[string]any
		for _, p := range m.Parts {
			switch p := p.(type) {
			case llms.TextContent:
				text = append(text, p.Text)
			case llms.ToolCall:
				if p.FunctionCall == nil {
					return nil, nil, llm.Errorf(llm.CodeInvalidRequest, "tool call %s has no function", p.ID)
				}
				names[p.ID] = p.FunctionCall.Name
				calls = append(calls, map[string]any{"id": p.ID, "function": map[string]any{
					"name": p.FunctionCall.Name, "arguments": arguments(p.FunctionCall.Arguments),
				}})
			case llms.ToolCallResponse:
				name := p.Name
				if name == "" {
					name = names[p.ToolCallID]
				}
				text, more["tool_name"], more["tool_call_id"] = append(text, p.Content), name, p.ToolCallID
			default:
				return nil, nil, llm.Errorf(llm.CodeInvalidRequest, "a message has a part of the type %T", p)
			}
		}
		if calls != nil {
			more["tool_calls"] = calls
		}
		rest = append(rest, more)
		plain = append(plain, llms.TextParts(m.Role, strings.Join(text, "\n")))
	}
	return plain, rest, nil
}

// arguments is what a model wrote, as the object that the protocol wants.
func arguments(written string) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(written), &object) == nil && object != nil {
		return json.RawMessage(written)
	}
	if strings.TrimSpace(written) == "" {
		return json.RawMessage("{}")
	}
	wrapped, _ := json.Marshal(map[string]string{"not_json": written}) //nolint:errchkjson // strings
	return wrapped
}

// complete adds to a request what the client drops.
func complete(fields map[string]any, rest []map[string]any, tools []llms.Tool) {
	messages, _ := fields["messages"].([]any)
	for i, m := range messages {
		if message, ok := m.(map[string]any); ok && i < len(rest) {
			for k, v := range rest[i] {
				message[k] = v
			}
		}
	}
	if len(tools) > 0 {
		fields["tools"] = tools
	}
	if fields["format"] == "" {
		delete(fields, "format")
	}
}

// chosen says which tools are offered. The protocol has no way to demand a
// call, so that is asked for in words.
func chosen(tools []llms.Tool, choice any) (offered []llms.Tool, demand string) {
	switch c := choice.(type) {
	case string:
		switch {
		case c == "none":
			return nil, ""
		case c == "required" && len(tools) > 0:
			return tools, "Answer by calling at least one of the tools."
		}
	case llms.ToolChoice:
		if c.Function != nil {
			only := slices.DeleteFunc(slices.Clone(tools), func(t llms.Tool) bool { return t.Function == nil || t.Function.Name != c.Function.Name })
			return only, "Answer by calling the tool " + c.Function.Name + "."
		}
	}
	return tools, ""
}

const embedBatch = 64

// embedder is langchaingo's embedder on Ollama's protocol, mended: texts keep
// their line breaks, the caller's slice is not touched, and one request takes
// many texts.
type embedder struct {
	inner *ollama.LLM
	model string
}

var _ embeddings.Embedder = (*embedder)(nil)

// EmbedDocuments implements embeddings.Embedder.
func (e *embedder) EmbedDocuments(ctx context.Context, texts []string) ([][]float32, error) {
	got, err := e.embed(ctx, texts)
	return got.Vectors, err
}

// EmbedQuery implements embeddings.Embedder.
func (e *embedder) EmbedQuery(ctx context.Context, text string) ([]float32, error) {
	got, err := e.embed(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	return got.Vectors[0], nil
}

// embed also says how many tokens there were.
func (e *embedder) embed(ctx context.Context, texts []string) (wire.Answer, error) {
	var total wire.Answer
	for batch := range slices.Chunk(slices.Clone(texts), embedBatch) {
		for i, t := range batch {
			if t == "" {
				batch[i] = " " // the server makes no vector of nothing
			}
		}
		ex := &wire.Exchange{Edit: func(fields map[string]any) error {
			fields["model"], fields["input"] = e.model, batch
			delete(fields, "options")
			return nil
		}}
		_, err := e.inner.CreateEmbedding(wire.With(ctx, ex), batch[:1])
		said, failed := ex.Result(ctx)
		switch {
		case failed != nil:
			return wire.Answer{}, failed // typed, where the client's own is a text
		case err != nil:
			return wire.Answer{}, err
		case len(said.Vectors) != len(batch):
			return wire.Answer{}, llm.Errorf(llm.CodeInternal, "the server answered %d vectors for %d texts", len(said.Vectors), len(batch))
		}
		total.Vectors = append(total.Vectors, said.Vectors...)
		total.Model = said.Model
		total.Usage.InputTokens += said.Usage.InputTokens
	}
	return total, nil
}
