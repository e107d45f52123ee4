package main

import (
	"context"
	"net/url"
	"slices"
	"testing"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/ollama"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/ollamaserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// Each case is a defect of langchaingo's Ollama client (v0.1.14): right holds
// for the plugin's llms.Model and fails for the plain one. A case that the plain
// client passes, after an upgrade, is a mend that can go.
var defects = []struct {
	name   string
	server ollamaserver.Config
	right  func(m llms.Model, asked func() []script.Request) bool
}{
	{
		name: "tools are dropped",
		right: func(m llms.Model, asked func() []script.Request) bool {
			_, _, err := ask(m, user, llms.WithTools(toTools([]llm.Tool{{Name: "f"}})))
			return err == nil && len(asked()[0].Tools) == 1
		},
	},
	{
		name:   "calls of tools are dropped",
		server: ollamaserver.Config{Answer: script.Sequence(script.Turn{ToolCalls: []llm.ToolCall{{ID: "a", Name: "f", Arguments: `{"q":1}`}}})},
		right: func(m llms.Model, _ func() []script.Request) bool {
			_, res, err := ask(m, user, llms.WithTools(toTools([]llm.Tool{{Name: "f"}})))
			return err == nil && len(res.Choices[0].ToolCalls) == 1 && res.Choices[0].ToolCalls[0].FunctionCall.Arguments == `{"q":1}`
		},
	},
	{
		name: "a conversation with results of tools is refused",
		right: func(m llms.Model, asked func() []script.Request) bool {
			_, _, err := ask(m, []llms.MessageContent{
				user[0],
				{Role: llms.ChatMessageTypeAI, Parts: []llms.ContentPart{llms.ToolCall{ID: "a", Type: "function", FunctionCall: &llms.FunctionCall{Name: "f", Arguments: "{}"}}}},
				{Role: llms.ChatMessageTypeTool, Parts: []llms.ContentPart{llms.ToolCallResponse{ToolCallID: "a", Content: "1"}}},
			})
			return err == nil && len(asked()[0].Messages[1].ToolCalls) == 1
		},
	},
	{
		name:   "a stream that was cut is taken for a whole answer",
		server: ollamaserver.Config{Answer: script.Sequence(script.Turn{Text: []string{"half "}, Cut: true})},
		right: func(m llms.Model, _ func() []script.Request) bool {
			_, _, err := ask(m, user)
			return err != nil
		},
	},
}

var user = []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "hi")}

func ask(m llms.Model, messages []llms.MessageContent, options ...llms.CallOption) (text string, res *llms.ContentResponse, err error) {
	options = append(options, llms.WithModel(chatModel), llms.WithStreamingFunc(func(_ context.Context, piece []byte) error { text += string(piece); return nil }))
	res, err = m.GenerateContent(context.Background(), messages, options...)
	return text, res, err
}

func clients(t *testing.T, s *ollamaserver.Server) (plain *ollama.LLM, mended *model) {
	t.Helper()
	plain, err := ollama.New(ollama.WithServerURL(s.URL()), ollama.WithModel(embedModel))
	if err != nil {
		t.Fatal(err)
	}
	base, _ := url.Parse(s.URL())
	if mended, err = newModel(&config{base: base}, wire.New(protocol{})); err != nil {
		t.Fatal(err)
	}
	return plain, mended
}

func TestWhatLangchaingosClientGetsWrongIsMended(t *testing.T) {
	for _, c := range defects {
		s := serve(t, c.server)
		plain, _ := clients(t, s)
		if c.right(plain, s.Requests) {
			t.Errorf("%s: langchaingo's client does it right by now", c.name)
		}
		s = serve(t, c.server)
		if _, mended := clients(t, s); !c.right(mended, s.Requests) {
			t.Errorf("%s: the plugin does not mend it", c.name)
		}
	}
}

// langchaingo's embedder strips line breaks, writes the stripped texts into the
// caller's slice and sends one request a text.
func TestTextsToEmbedStayAsTheyAreAndGoTogether(t *testing.T) {
	right := func(e embeddings.Embedder, s *ollamaserver.Server) bool {
		texts := []string{"a\nb", "c"}
		got, err := e.EmbedDocuments(t.Context(), texts)
		return err == nil && texts[0] == "a\nb" && len(s.Requests()) == 1 && slices.Equal(got[1], script.Vector("c", 64)) && s.Requests()[0].Texts[0] == "a\nb"
	}
	s := serve(t, ollamaserver.Config{})
	inner, _ := clients(t, s)
	plain, err := embeddings.NewEmbedder(inner)
	if err != nil {
		t.Fatal(err)
	}
	if right(plain, s) {
		t.Error("langchaingo's embedder does it right by now")
	}
	s = serve(t, ollamaserver.Config{})
	if _, m := clients(t, s); !right(&embedder{inner: m.inner, model: embedModel}, s) {
		t.Error("the plugin does not mend it")
	}
}
