package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/anthropic"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
)

// editKey is the key of langchaingo's metadata under which [model] takes what
// the options can't say: a func(map[string]any) error on the request's fields.
const editKey = "edit"

// infoAnswer is the key of GenerationInfo under which [model] adds its answer.
const infoAnswer = "Answer"

// demandJSON stands for JSON mode, which the provider has not.
const demandJSON = "Answer with one JSON value and nothing else: no prose, no code fence."

// model is langchaingo's chat model on Anthropic's protocol, mended: every part
// of a message is sent, and so are tool_choice and the wish for JSON.
type model struct {
	inner *anthropic.LLM
}

var _ llms.Model = (*model)(nil)

func newModel(c *config, d *wire.Client) (*model, error) {
	key := c.key
	if key == "" {
		key = "none" // the client refuses to start without one; it is taken off again
	}
	inner, err := anthropic.New(anthropic.WithToken(key), anthropic.WithBaseURL(c.baseURL), anthropic.WithHTTPClient(d))
	if err != nil {
		return nil, fmt.Errorf("make Anthropic client: %w", err)
	}
	return &model{inner: inner}, nil
}

// GenerateContent implements llms.Model. Errors are of type llm.Error (sdk).
func (m *model) GenerateContent(ctx context.Context, messages []llms.MessageContent, options ...llms.CallOption) (*llms.ContentResponse, error) {
	var opts llms.CallOptions
	for _, o := range options {
		o(&opts)
	}
	single, inputs, err := apart(messages, opts.JSONMode)
	if err != nil {
		return nil, err
	}
	more, _ := opts.Metadata[editKey].(func(map[string]any) error)
	ex := &wire.Exchange{Edit: func(fields map[string]any) error {
		together(fields, inputs)
		if err := choose(fields, opts.ToolChoice); err != nil || more == nil {
			return err
		}
		return more(fields)
	}}
	var stopped error
	callback := opts.StreamingFunc
	// Always streamed: one path to mend, and a silent provider is noticed.
	options = append(slices.Clone(options), llms.WithStreamingFunc(func(ctx context.Context, piece []byte) error {
		if len(piece) == 0 || callback == nil {
			return nil
		}
		stopped = callback(ctx, piece)
		return stopped
	}))
	res, err := m.inner.GenerateContent(wire.With(ctx, ex), single, options...)
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
	choice := res.Choices[0] // there is one: the answer was told to the client as one block
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

// apart gives the client messages of one part each, since it sends the first
// only, and one system message, since it runs several into each other. inputs
// are the arguments of the calls by their ids: the client would read numbers as
// floating point.
func apart(messages []llms.MessageContent, wantJSON bool) (out []llms.MessageContent, inputs map[string]json.RawMessage, err error) {
	var system []string
	inputs = map[string]json.RawMessage{}
	for _, m := range messages {
		for _, p := range m.Parts {
			switch p := p.(type) {
			case llms.TextContent:
				if m.Role == llms.ChatMessageTypeSystem {
					system = append(system, p.Text)
					continue
				}
			case llms.ToolCall:
				if p.FunctionCall == nil {
					return nil, nil, llm.Errorf(llm.CodeInvalidRequest, "tool call %s has no function", p.ID)
				}
				inputs[p.ID] = input(p.FunctionCall.Arguments)
				out = append(out, llms.MessageContent{Role: m.Role, Parts: []llms.ContentPart{llms.ToolCall{
					ID: p.ID, Type: p.Type, FunctionCall: &llms.FunctionCall{Name: p.FunctionCall.Name, Arguments: "{}"},
				}}})
				continue
			}
			out = append(out, llms.MessageContent{Role: m.Role, Parts: []llms.ContentPart{p}})
		}
	}
	if wantJSON {
		system = append(system, demandJSON)
	}
	if len(system) > 0 {
		text := llms.TextContent{Text: strings.Join(system, "\n\n")}
		out = slices.Insert(out, 0, llms.MessageContent{Role: llms.ChatMessageTypeSystem, Parts: []llms.ContentPart{text}})
	}
	return out, inputs, nil
}

// input is what a model wrote as arguments, as the object that the protocol wants.
func input(arguments string) json.RawMessage {
	if strings.TrimSpace(arguments) == "" {
		return json.RawMessage("{}")
	}
	var object map[string]json.RawMessage
	if json.Unmarshal([]byte(arguments), &object) == nil && object != nil {
		return json.RawMessage(arguments)
	}
	wrapped, _ := json.Marshal(map[string]string{"not_json": arguments}) //nolint:errchkjson // strings
	return wrapped
}

// together joins what apart took apart: neighbours of one role are one message,
// as the protocol wants it of parallel calls and of their results.
func together(fields map[string]any, inputs map[string]json.RawMessage) {
	messages, _ := fields["messages"].([]any)
	var out []any
	var last map[string]any
	for _, m := range messages {
		this, _ := m.(map[string]any)
		content, _ := this["content"].([]any)
		for _, p := range content {
			if part, _ := p.(map[string]any); part["type"] == "tool_use" {
				id, _ := part["id"].(string)
				part["input"] = inputs[id]
			}
		}
		if last != nil && last["role"] == this["role"] {
			before, _ := last["content"].([]any)
			last["content"] = append(before, content...)
			continue
		}
		last = this
		out = append(out, this)
	}
	fields["messages"] = out
}

// choose says which tools may be called, which the client leaves out.
func choose(fields map[string]any, choice any) error {
	if fields["tools"] == nil {
		return nil
	}
	name := ""
	switch c := choice.(type) {
	case nil:
		return nil
	case string:
		kinds := map[string]string{"auto": "auto", "none": "none", "required": "any", "any": "any"}
		if kinds[c] == "" {
			return llm.Errorf(llm.CodeInvalidRequest, "tool choice %q is not one of auto, none, required", c)
		}
		fields["tool_choice"] = map[string]any{"type": kinds[c]}
		return nil
	case llms.ToolChoice:
		if c.Function != nil {
			name = c.Function.Name
		}
	}
	if name == "" {
		return llm.Errorf(llm.CodeInvalidRequest, "the tool choice names no tool")
	}
	fields["tool_choice"] = map[string]any{"type": "tool", "name": name}
	return nil
}
