package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest"
	"github.com/goals-tracker/tracker/sdk/llmtest/ollamaserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

const (
	chatModel  = "llama3.2"
	embedModel = "nomic-embed-text"
)

func serve(t *testing.T, cfg ollamaserver.Config) *ollamaserver.Server {
	t.Helper()
	s, err := ollamaserver.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func specFor(t *testing.T, s *ollamaserver.Server, more map[string]string) *llm.Spec {
	t.Helper()
	env := map[string]string{"OLLAMA_HOST": s.URL()}
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
		ChatModel: chatModel, EmbeddingModel: embedModel,
		Lacks: []string{llmtest.LackRefusal, llmtest.LackContentFilter, llmtest.LackToolChoice, llmtest.LackCachedTokens},
		Start: func(t *testing.T, s llmtest.Setup) (*llm.Spec, func() []script.Request) {
			t.Helper()
			server := serve(t, ollamaserver.Config{Key: s.Key, Answer: s.Answer, EmbedAnswer: s.EmbedAnswer, Refuse: s.Refuse})
			more := map[string]string{"OLLAMA_API_KEY": s.GivenKey}
			if s.IdleTimeout > 0 {
				more["OLLAMA_IDLE_TIMEOUT"] = s.IdleTimeout.String()
			}
			return specFor(t, server, more), server.Requests
		},
	})
}

func hello() *llm.GenerateRequest {
	return &llm.GenerateRequest{Model: chatModel, Messages: []llm.Message{{Role: llm.RoleUser, Text: "hi"}}}
}

func TestInstalledModelsAreFoundWithWhatEachCanDo(t *testing.T) {
	s := serve(t, ollamaserver.Config{Models: []ollamaserver.Model{
		{Name: "qwen3:8b", Capabilities: []string{"completion", "tools", "thinking"}, ContextTokens: 40960},
		{Name: "tiny:1b", Capabilities: []string{"completion"}, ContextTokens: 2048},
		{Name: "bge-m3:latest", Capabilities: []string{"embedding"}, ContextTokens: 8192, Dimensions: 1024},
	}})
	models, err := specFor(t, s, map[string]string{"OLLAMA_NUM_CTX": "16384"}).Discover(t.Context())
	if err != nil || len(models) != 3 {
		t.Fatalf("got %+v, %v", models, err)
	}
	bge, qwen, tiny := models[0], models[1], models[2]
	if !bge.Capabilities.Embed || bge.Capabilities.Generate || bge.Dimensions != 1024 || bge.EmbeddingVersion == "" {
		t.Errorf("got %+v", bge)
	}
	if !qwen.Capabilities.Tools || !qwen.Capabilities.JSONSchema || qwen.ContextTokens != 16384 || qwen.Capabilities.Embed {
		t.Errorf("got %+v", qwen)
	}
	if tiny.Capabilities.Tools || tiny.ContextTokens != 2048 {
		t.Errorf("got %+v", tiny)
	}
	some, err := specFor(t, s, map[string]string{"OLLAMA_MODEL": "tiny:1b,gone", "OLLAMA_EMBEDDING_MODEL": "bge-m3"}).Discover(t.Context())
	if err != nil || len(some) != 2 || some[0].ID != "bge-m3" || some[1].ID != "tiny:1b" {
		t.Errorf("got %+v, %v", some, err)
	}
	if _, err = specFor(t, s, map[string]string{"OLLAMA_MODEL": "gone"}).Discover(t.Context()); err == nil || !strings.Contains(err.Error(), "ollama pull") {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	s := serve(t, ollamaserver.Config{})
	blind, named := specFor(t, s, nil), specFor(t, s, map[string]string{"OLLAMA_MODEL": chatModel, "OLLAMA_EMBEDDING_MODEL": embedModel})
	_ = s.Close()
	if _, err := blind.Discover(t.Context()); llm.CodeOf(err) != llm.CodeUnavailable || !strings.Contains(err.Error(), "OLLAMA_HOST") {
		t.Errorf("got %v", err)
	}
	models, err := named.Discover(t.Context())
	if err != nil || len(models) != 2 || !models[0].Capabilities.Generate || !models[1].Capabilities.Embed {
		t.Errorf("configured models are taken at their word: %+v, %v", models, err)
	}
	_, err = llmtest.Generate(context.Background(), llmtest.Connect(t, named), hello())
	if llm.CodeOf(err) != llm.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestPromptsGetTheRoomThatIsConfigured(t *testing.T) {
	s := serve(t, ollamaserver.Config{Thinking: "Hm…", Answer: script.Say("fine")})
	seed := int64(7)
	ask := hello()
	ask.Seed = &seed
	got, err := llmtest.Generate(t.Context(), llmtest.Connect(t, specFor(t, s, map[string]string{
		"OLLAMA_NUM_CTX": "4096", "TRACKER_SETTINGS": `{"keep_alive":"30m"}`,
	})), ask)
	if err != nil || got.Text != "fine" {
		t.Fatalf("got %+v, %v", got, err)
	}
	sent := string(s.Requests()[0].Body)
	for _, want := range []string{`"num_ctx":4096`, `"seed":7`, `"keep_alive":"30m"`} {
		if !strings.Contains(sent, want) {
			t.Errorf("sent %s, without %s", sent, want)
		}
	}
	if strings.Contains(sent, "format") || strings.Contains(sent, "temperature") {
		t.Errorf("sent more than was asked for: %s", sent)
	}
}

func TestAToolIsDemandedInWords(t *testing.T) {
	s := serve(t, ollamaserver.Config{})
	c := llmtest.Connect(t, specFor(t, s, nil))
	for _, choice := range []llm.ToolChoice{{Tool: "f"}, {Mode: "none"}, {Mode: "auto"}} {
		ask := hello()
		ask.Tools, ask.ToolChoice = []llm.Tool{{Name: "f"}, {Name: "g"}}, choice
		if _, err := llmtest.Generate(t.Context(), c, ask); err != nil {
			t.Fatal(err)
		}
	}
	asked := s.Requests()
	if len(asked[0].Tools) != 1 || asked[0].Tools[0].Name != "f" || !strings.Contains(asked[0].Messages[0].Text, "tool f") {
		t.Errorf("one tool: sent %s", asked[0].Body)
	}
	if len(asked[1].Tools) != 0 || len(asked[2].Tools) != 2 || len(asked[2].Messages) != 1 {
		t.Errorf("sent %s and %s", asked[1].Body, asked[2].Body)
	}
}

func TestAModelWithoutToolsSaysSo(t *testing.T) {
	s := serve(t, ollamaserver.Config{Refuse: []string{"tools"}})
	ask := hello()
	ask.Tools = []llm.Tool{{Name: "f"}}
	_, err := llmtest.Generate(t.Context(), llmtest.Connect(t, specFor(t, s, nil)), ask)
	if llm.CodeOf(err) != llm.CodeUnsupported {
		t.Errorf("got %v", err)
	}
}

func TestTheBuiltPluginAnswersOverTheTrackersHandshake(t *testing.T) {
	s := serve(t, ollamaserver.Config{Answer: script.Say("from afar")})
	p := llmtest.Start(t, llmtest.Build(t, "github.com/goals-tracker/tracker/plugins/llm-ollama"), "OLLAMA_HOST="+s.URL())
	d, err := p.Describe(t.Context(), "test")
	if err != nil || d.Name != "llm-ollama" || d.Remote || len(d.Models) != 2 {
		t.Fatalf("got %+v, %v", d, err)
	}
	if got, err := llmtest.Generate(t.Context(), p.Client, hello()); err != nil || got.Text != "from afar" {
		t.Fatalf("got %+v, %v", got, err)
	}
	v, err := p.Embed(t.Context(), &llm.EmbedRequest{Model: embedModel, Texts: []string{"a", "b"}})
	if err != nil || !slices.Equal(v.Vectors[1], script.Vector("b", 64)) {
		t.Fatalf("got %+v, %v", v, err)
	}
}

func TestHostsAreReadAsOllamasProgramsReadThem(t *testing.T) {
	for given, want := range map[string]string{
		"": "http://127.0.0.1:11434", "0.0.0.0": "http://127.0.0.1:11434", "0.0.0.0:9000": "http://127.0.0.1:9000",
		"box": "http://box:11434", "box:80": "http://box:80", "https://o.example.org": "https://o.example.org:443",
		"http://o.example.org/ollama": "http://o.example.org:80/ollama", "::1": "http://[::1]:11434", "[::1]:99": "http://[::1]:99",
	} {
		if got, err := host(given); err != nil || got.String() != want {
			t.Errorf("%q: got %v, %v", given, got, err)
		}
	}
	for _, bad := range []string{"ftp://x", "http://user:pw@x", "http://", "a b"} {
		if got, err := host(bad); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("%q: got %v, %v", bad, got, err)
		}
	}
	local, _ := parseConfig(func(string) string { return "" })
	far, _ := parseConfig(func(k string) string { return map[string]string{"OLLAMA_HOST": "box"}[k] })
	if local.remote() || !far.remote() {
		t.Error("only loopback is local")
	}
	for name, bad := range map[string]string{"OLLAMA_NUM_CTX": "9", "OLLAMA_IDLE_TIMEOUT": "soon", "TRACKER_SETTINGS": `{"x":1}`} {
		if _, err := parseConfig(func(k string) string { return map[string]string{name: bad}[k] }); err == nil {
			t.Errorf("%s=%s was taken", name, bad)
		}
	}
}
