package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"

	"github.com/goals-tracker/tracker/plugins/internal/wire"
	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/openaiserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// Each test below holds for the plugin's llms.Model or embeddings.Embedder and
// fails for langchaingo's own (v0.1.14). When the plain client passes, after an
// upgrade, the mend can go.

// embedders makes the plain and the mended embedder on one server.
func embedders(t *testing.T, s *openaiserver.Server) (plain, mended embeddings.Embedder) {
	t.Helper()
	inner, err := openai.New(openai.WithToken("sk"), openai.WithBaseURL(s.URL()), openai.WithEmbeddingModel("text-embedding-3-small"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err = embeddings.NewEmbedder(inner); err != nil {
		t.Fatal(err)
	}
	if mended, err = newEmbedder(&config{key: "sk", baseURL: s.URL()}, wire.New(protocol{}), "text-embedding-3-small"); err != nil {
		t.Fatal(err)
	}
	return plain, mended
}

func TestTextsToEmbedKeepTheirLineBreaksAndStayTheCallers(t *testing.T) {
	s := serve(t, openaiserver.Config{})
	// right says whether the text was sent as it is, and left alone.
	right := func(e embeddings.Embedder) bool {
		texts := []string{"def f():\n    return 1\n"}
		_, err := e.EmbedDocuments(t.Context(), texts)
		asked := s.Requests()
		return err == nil && texts[0] == "def f():\n    return 1\n" && asked[len(asked)-1].Texts[0] == "def f():\n    return 1\n"
	}
	plain, mended := embedders(t, s)
	if right(plain) {
		t.Error("langchaingo's embedder does it right by now")
	}
	if !right(mended) {
		t.Error("the plugin does not mend it")
	}
}

func TestVectorsFollowTheIndexThatTheProviderGives(t *testing.T) {
	s := serve(t, openaiserver.Config{}) // answers backwards
	right := func(e embeddings.Embedder) bool {
		texts := []string{"bucles", "clases", "listas"}
		got, err := e.EmbedDocuments(t.Context(), texts)
		return err == nil && len(got) == 3 && slices.Equal(got[0], script.Vector("bucles", 64)) && slices.Equal(got[2], script.Vector("listas", 64))
	}
	plain, mended := embedders(t, s)
	if right(plain) {
		t.Error("langchaingo's embedder does it right by now")
	}
	if !right(mended) {
		t.Error("the plugin does not mend it")
	}
}

func TestParallelStreamedToolCallsStayApartAndOutOfTheText(t *testing.T) {
	calls := []llm.ToolCall{{ID: "a", Name: "f", Arguments: `{"q":"bucles"}`}, {ID: "b", Name: "g", Arguments: `{"q":"clases"}`}}
	s := serve(t, openaiserver.Config{Answer: script.Sequence(script.Turn{Text: []string{"Let me look."}, ToolCalls: calls})})
	ask := func(m llms.Model) (text string, got []string) {
		res, err := m.GenerateContent(t.Context(), []llms.MessageContent{llms.TextParts(llms.ChatMessageTypeHuman, "find it")},
			llms.WithModel("gpt-4o-mini"), llms.WithTools(toTools([]llm.Tool{{Name: "f"}, {Name: "g"}})),
			llms.WithStreamingFunc(func(_ context.Context, piece []byte) error { text += string(piece); return nil }))
		if err != nil {
			return err.Error(), nil
		}
		for _, c := range res.Choices[0].ToolCalls {
			got = append(got, fmt.Sprintf("%s %s %s", c.ID, c.FunctionCall.Name, c.FunctionCall.Arguments))
		}
		return text, got
	}
	want := []string{`a f {"q":"bucles"}`, `b g {"q":"clases"}`}
	plain, err := openai.New(openai.WithToken("sk"), openai.WithBaseURL(s.URL()))
	if err != nil {
		t.Fatal(err)
	}
	text, got := ask(plain)
	if slices.Equal(got, want) {
		t.Errorf("langchaingo's client keeps parallel calls apart by now: %q", got)
	}
	if !strings.Contains(text, "bucl") {
		t.Errorf("langchaingo's client keeps calls out of the text by now: %q", text)
	}
	mended, err := newModel(&config{key: "sk", baseURL: s.URL()}, wire.New(protocol{}))
	if err != nil {
		t.Fatal(err)
	}
	if text, got := ask(mended); text != "Let me look." || !slices.Equal(got, want) {
		t.Errorf("the plugin does not mend it: %q, %q", text, got)
	}
}
