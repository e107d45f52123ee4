package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/anthropic"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llmtest/anthropicserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// Each case is a defect of langchaingo's Anthropic client (v0.1.14): want holds
// for the plugin's llms.Model and fails for the plain one. A case that the plain
// client passes, after an upgrade, is a mend that can go.
var defects = []struct {
	name     string
	messages []llms.MessageContent
	options  []llms.CallOption
	want     func(script.Request) bool
}{
	{
		name: "tool_choice is dropped", messages: say(llms.ChatMessageTypeHuman, "hi"),
		options: []llms.CallOption{llms.WithTools(toolF), llms.WithToolChoice("required")},
		want:    func(r script.Request) bool { return r.ToolChoice == "required" },
	},
	{
		name: "the choice of one tool is dropped", messages: say(llms.ChatMessageTypeHuman, "hi"),
		options: []llms.CallOption{llms.WithTools(toolF), llms.WithToolChoice(llms.ToolChoice{Type: "function", Function: &llms.FunctionReference{Name: "f"}})},
		want:    func(r script.Request) bool { return r.ToolChoice == "f" },
	},
	{
		name: "JSON mode is dropped", messages: say(llms.ChatMessageTypeHuman, "hi"), options: []llms.CallOption{llms.WithJSONMode()},
		want: func(r script.Request) bool { return strings.Contains(string(r.Body), "JSON") },
	},
	{
		name: "all but the first part of an assistant's turn is dropped",
		messages: slices.Concat(say(llms.ChatMessageTypeHuman, "hi"), []llms.MessageContent{
			{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.TextContent{Text: "Looking."}, callF("a", "{}"), callF("b", "{}")}},
			{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{
				llms.ToolCallResponse{ToolCallID: "a", Content: "1"}, llms.ToolCallResponse{ToolCallID: "b", Content: "2"},
			}},
		}),
		options: []llms.CallOption{llms.WithTools(toolF)},
		want: func(r script.Request) bool {
			return len(r.Messages) == 4 && r.Messages[1].Text == "Looking." && len(r.Messages[1].ToolCalls) == 2 && r.Messages[3].Text == "2"
		},
	},
	{
		name: "all but the first part of a system message is dropped",
		messages: []llms.MessageContent{
			{Role: llms.ChatMessageTypeSystem, Parts: []llms.ContentPart{llms.TextContent{Text: "Be terse."}, llms.TextContent{Text: "Be kind."}}},
			say(llms.ChatMessageTypeHuman, "hi")[0],
		},
		want: func(r script.Request) bool { return strings.Contains(r.Messages[0].Text, "Be kind.") },
	},
	{
		name: "a temperature that nobody asked for is sent", messages: say(llms.ChatMessageTypeHuman, "hi"),
		options: []llms.CallOption{llms.WithMetadata(map[string]any{editKey: func(fields map[string]any) error { delete(fields, "temperature"); return nil }})},
		want:    func(r script.Request) bool { return r.Temperature == nil },
	},
	{
		name: "large numbers in arguments lose digits",
		messages: slices.Concat(say(llms.ChatMessageTypeHuman, "hi"), []llms.MessageContent{
			{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{callF("a", `{"id":12345678901234567890}`)}},
			{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "a", Content: "1"}}},
		}),
		want: func(r script.Request) bool {
			return strings.Contains(string(r.Body), `12345678901234567890`)
		},
	},
}

var toolF = []llms.Tool{{Type: "function", Function: &llms.FunctionDefinition{Name: "f", Parameters: json.RawMessage(`{"type":"object"}`)}}}

func callF(id, arguments string) llms.ToolCall {
	return llms.ToolCall{ID: id, Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: arguments}}
}

func say(role llms.ChatMessageType, text string) []llms.MessageContent {
	return []llms.MessageContent{llms.TextParts(role, text)}
}

func TestWhatLangchaingosClientGetsWrongIsMended(t *testing.T) {
	for _, c := range defects {
		// right says whether the server was asked what the case wants.
		right := func(client func(url string) llms.Model) bool {
			s := serve(t, anthropicserver.Config{})
			options := append(slices.Clone(c.options), llms.WithModel(chatModel))
			if _, err := client(s.URL()+"/v1").GenerateContent(t.Context(), c.messages, options...); err != nil || len(s.Requests()) == 0 {
				return false
			}
			return c.want(s.Requests()[0])
		}
		if right(plain(t)) {
			t.Errorf("%s: langchaingo's client does it right by now", c.name)
		}
		if !right(mended(t)) {
			t.Errorf("%s: the plugin does not mend it", c.name)
		}
	}
}

// The plain client takes blocks that it does not know for an error, and forgets
// how long the provider asked to wait.
func TestAnswersThatLangchaingosClientReadsWrongAreRead(t *testing.T) {
	limited := anthropicserver.Config{Answer: script.Sequence(script.Turn{Status: 429, Message: "slow down", RetryAfter: 1e9})}
	thinking := anthropicserver.Config{Thinking: "Hm.", Answer: script.Say("fine")}
	ask := func(client func(url string) llms.Model, cfg anthropicserver.Config) (text string, err error) {
		s := serve(t, cfg)
		_, err = client(s.URL()+"/v1").GenerateContent(t.Context(), say(llms.ChatMessageTypeHuman, "hi"), llms.WithModel(chatModel),
			llms.WithStreamingFunc(func(_ context.Context, piece []byte) error { text += string(piece); return nil }))
		return text, err
	}
	if text, err := ask(plain(t), thinking); err == nil && text == "fine" {
		t.Error("langchaingo's client knows redacted thinking by now")
	}
	if text, err := ask(mended(t), thinking); err != nil || text != "fine" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := ask(plain(t), limited); err == nil || strings.Contains(err.Error(), "retry after 1s") {
		t.Errorf("langchaingo's client keeps Retry-After by now: %v", err)
	}
	if _, err := ask(mended(t), limited); err == nil || !strings.Contains(err.Error(), "retry after 1s") {
		t.Errorf("got %v", err)
	}
}

func plain(t *testing.T) func(url string) llms.Model {
	t.Helper()
	return func(url string) llms.Model {
		m, err := anthropic.New(anthropic.WithToken("sk"), anthropic.WithBaseURL(url))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

func mended(t *testing.T) func(url string) llms.Model {
	t.Helper()
	return func(url string) llms.Model {
		m, err := newModel(&config{key: "sk", baseURL: url}, wire.New(protocol{}))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}
