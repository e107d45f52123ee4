package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest"
	"github.com/goals-tracker/tracker/sdk/llmtest/openaiserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

func serve(t *testing.T, cfg openaiserver.Config) *openaiserver.Server {
	t.Helper()
	s, err := openaiserver.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func specFor(t *testing.T, s *openaiserver.Server, more map[string]string) *llm.Spec {
	t.Helper()
	env := map[string]string{"OPENAI_BASE_URL": s.URL(), "OPENAI_MODEL": "gpt-4o-mini", "OPENAI_EMBEDDING_MODEL": "text-embedding-3-small"}
	for k, v := range more {
		env[k] = v
	}
	spec, err := newSpec(func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestThePluginKeepsTheContract(t *testing.T) {
	llmtest.TestProvider(t, llmtest.Provider{
		ChatModel: "gpt-4o-mini", EmbeddingModel: "text-embedding-3-small",
		Start: func(t *testing.T, s llmtest.Setup) (*llm.Spec, func() []script.Request) {
			t.Helper()
			server := serve(t, openaiserver.Config{Key: s.Key, Answer: s.Answer, EmbedAnswer: s.EmbedAnswer, Refuse: s.Refuse})
			more := map[string]string{"OPENAI_API_KEY": s.GivenKey}
			if s.IdleTimeout > 0 {
				more["OPENAI_IDLE_TIMEOUT"] = s.IdleTimeout.String()
			}
			return specFor(t, server, more), server.Requests
		},
	})
}

func TestEmbeddingLeavesTheCallersTextsAlone(t *testing.T) {
	spec := specFor(t, serve(t, openaiserver.Config{}), nil)
	texts := []string{"a\nb", ""}
	if _, err := spec.Embed(t.Context(), &llm.EmbedRequest{Model: "text-embedding-3-small", Texts: texts}); err != nil {
		t.Fatal(err)
	}
	if texts[0] != "a\nb" || texts[1] != "" {
		t.Errorf("the texts are now %q", texts)
	}
}

func TestAServerThatIgnoresStreamingIsUnderstood(t *testing.T) {
	calls := []llm.ToolCall{{ID: "call_a", Name: "f", Arguments: `{"a":1}`}, {ID: "call_b", Name: "g", Arguments: `{}`}}
	s := serve(t, openaiserver.Config{IgnoreStream: true, Answer: script.Sequence(
		script.Turn{Text: []string{"a whole ", "answer"}}, script.Turn{ToolCalls: calls}, script.Turn{Refusal: "No."},
	)})
	c := llmtest.Connect(t, specFor(t, s, nil))
	ask := &llm.GenerateRequest{Model: "gpt-4o-mini", Messages: []llm.Message{{Role: llm.RoleUser, Text: "hi"}}}
	for i, want := range []llm.FinishReason{llm.FinishStop, llm.FinishToolCalls, llm.FinishRefusal} {
		got, err := llmtest.Generate(context.Background(), c, ask)
		if err != nil || got.Reason != want {
			t.Fatalf("answer %d: %+v, %v", i, got, err)
		}
		if i == 0 && got.Text != "a whole answer" || i == 1 && len(got.ToolCalls) != 2 {
			t.Errorf("answer %d: %+v", i, got)
		}
	}
}

func TestFieldsThatAServerRefusesAreLeftOut(t *testing.T) {
	s := serve(t, openaiserver.Config{Refuse: []string{"stream_options", "temperature", "max_tokens"}})
	c := llmtest.Connect(t, specFor(t, s, nil))
	warm := 0.7
	ask := &llm.GenerateRequest{
		Model: "gpt-4o-mini", Temperature: &warm, MaxTokens: 50,
		Messages: []llm.Message{{Role: llm.RoleUser, Text: "hi"}},
	}
	for range 2 {
		if _, err := llmtest.Generate(context.Background(), c, ask); err != nil {
			t.Fatal(err)
		}
	}
	asked := s.Requests()
	if len(asked) != 5 {
		t.Fatalf("%d requests for two answers", len(asked))
	}
	last := string(asked[4].Body)
	if strings.Contains(last, "stream_options") || strings.Contains(last, "temperature") || !strings.Contains(last, `"max_completion_tokens":50`) {
		t.Errorf("sent %s", last)
	}
}

func TestAServerThatIsNotThereIsUnavailable(t *testing.T) {
	s := serve(t, openaiserver.Config{})
	spec := specFor(t, s, nil)
	_ = s.Close()
	c := llmtest.Connect(t, spec)
	_, err := llmtest.Generate(context.Background(), c, &llm.GenerateRequest{Model: "gpt-4o-mini", Messages: []llm.Message{{Role: llm.RoleUser, Text: "hi"}}})
	if llm.CodeOf(err) != llm.CodeUnavailable {
		t.Fatalf("got %v", err)
	}
}

func TestTheBuiltPluginAnswersOverTheTrackersHandshake(t *testing.T) {
	const key = "sk-process-secret-42"
	s := serve(t, openaiserver.Config{Key: key, Answer: script.Sequence(
		script.Turn{Text: []string{"from ", "afar"}}, script.Turn{Status: 500, Message: "echo " + key},
		script.Turn{Text: []string{"slow"}, FirstTokenDelay: 30 * time.Second},
	)})
	p := llmtest.Start(t, llmtest.Build(t, "github.com/goals-tracker/tracker/plugins/llm-openai"),
		"OPENAI_API_KEY="+key, "OPENAI_BASE_URL="+s.URL(), "OPENAI_MODEL=local-model", "OPENAI_EMBEDDING_MODEL=local-embed")
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	d, err := p.Describe(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "llm-openai" || d.Remote || len(d.Models) != 2 || !d.Models[0].Capabilities.Generate || !d.Models[1].Capabilities.Embed {
		t.Errorf("got %+v", d)
	}
	ask := &llm.GenerateRequest{Model: "local-model", Messages: []llm.Message{{Role: llm.RoleUser, Text: "hi"}}}
	got, err := llmtest.Generate(ctx, p.Client, ask)
	if err != nil || got.Text != "from afar" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err := llmtest.Generate(ctx, p.Client, ask); err == nil || strings.Contains(err.Error(), key) || strings.Contains(p.Stderr(), key) {
		t.Errorf("the key shows: %v; stderr %q", err, p.Stderr())
	}
	v, err := p.Embed(ctx, &llm.EmbedRequest{Model: "local-embed", Texts: []string{"a", "b"}})
	if err != nil || len(v.Vectors) != 2 {
		t.Fatalf("got %+v, %v", v, err)
	}
	time.AfterFunc(200*time.Millisecond, p.Kill)
	if _, err := llmtest.Generate(ctx, p.Client, ask); llm.CodeOf(err) != llm.CodeInterrupted {
		t.Errorf("a plugin that died: got %v, want interrupted", err)
	}
}

func TestConfigErrorsNameTheVariable(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "OPENAI_API_KEY"},
		{map[string]string{"OPENAI_BASE_URL": "ftp://x"}, "OPENAI_BASE_URL"},
		{map[string]string{"OPENAI_BASE_URL": "http://user:pw@x"}, "OPENAI_BASE_URL"},
		{map[string]string{"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, "OPENAI_MODEL"},
		{map[string]string{"OPENAI_API_KEY": "sk-1", "OPENAI_IDLE_TIMEOUT": "soon"}, "OPENAI_IDLE_TIMEOUT"},
		{map[string]string{"OPENAI_API_KEY": "sk-1", "OPENAI_EMBEDDING_DIMENSIONS": "-1"}, "OPENAI_EMBEDDING_DIMENSIONS"},
	} {
		_, err := parseConfig(func(k string) string { return c.env[k] })
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "sk-1") {
			t.Errorf("%v: got %v", c.env, err)
		}
	}
	c, err := parseConfig(func(k string) string { return map[string]string{"OPENAI_API_KEY": "sk-1"}[k] })
	if err != nil || !c.remote() || c.models()[0].ContextTokens != 128_000 || c.models()[1].Dimensions != 1536 {
		t.Errorf("got %+v, %v", c, err)
	}
}
