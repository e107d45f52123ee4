package main

import (
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest"
	"github.com/goals-tracker/tracker/sdk/llmtest/anthropicserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

const chatModel = "claude-haiku-4-5"

func serve(t *testing.T, cfg anthropicserver.Config) *anthropicserver.Server {
	t.Helper()
	s, err := anthropicserver.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func specFor(t *testing.T, s *anthropicserver.Server, more map[string]string) *llm.Spec {
	t.Helper()
	env := map[string]string{"ANTHROPIC_BASE_URL": s.URL(), "ANTHROPIC_MODEL": chatModel}
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
		ChatModel: chatModel, Lacks: []string{llmtest.LackContentFilter, llmtest.LackJSONMode},
		Start: func(t *testing.T, s llmtest.Setup) (*llm.Spec, func() []script.Request) {
			t.Helper()
			server := serve(t, anthropicserver.Config{Key: s.Key, Answer: s.Answer, Refuse: s.Refuse})
			more := map[string]string{"ANTHROPIC_API_KEY": s.GivenKey}
			if s.IdleTimeout > 0 {
				more["ANTHROPIC_IDLE_TIMEOUT"] = s.IdleTimeout.String()
			}
			return specFor(t, server, more), server.Requests
		},
	})
}

func hello() *llm.GenerateRequest {
	return &llm.GenerateRequest{Model: chatModel, Messages: []llm.Message{{Role: llm.RoleUser, Text: "hi"}}}
}

func TestThinkingIsNoPartOfTheAnswer(t *testing.T) {
	for _, whole := range []bool{false, true} {
		s := serve(t, anthropicserver.Config{Thinking: "Let me see…", IgnoreStream: whole, Answer: script.Sequence(script.Turn{
			Text: []string{"It ", "is."}, ToolCalls: []llm.ToolCall{{ID: "toolu_1", Name: "f", Arguments: `{"a":1}`}},
		})})
		got, err := llmtest.Generate(t.Context(), llmtest.Connect(t, specFor(t, s, nil)), hello())
		if err != nil || got.Text != "It is." || len(got.ToolCalls) != 1 || got.ToolCalls[0].Arguments != `{"a":1}` || got.Reason != llm.FinishToolCalls {
			t.Errorf("whole %t: got %+v, %v", whole, got, err)
		}
	}
}

func TestAFieldThatAModelRefusesIsLeftOut(t *testing.T) {
	s := serve(t, anthropicserver.Config{Refuse: []string{"top_p"}})
	c := llmtest.Connect(t, specFor(t, s, nil))
	warm, most := 0.7, 0.9
	ask := hello()
	ask.Temperature, ask.TopP = &warm, &most
	for range 2 {
		if _, err := llmtest.Generate(t.Context(), c, ask); err != nil {
			t.Fatal(err)
		}
	}
	asked := s.Requests()
	if len(asked) != 3 || asked[2].TopP != nil || asked[2].Temperature == nil {
		t.Errorf("%d requests; the last was %s", len(asked), asked[len(asked)-1].Body)
	}
}

func TestASchemaThatStructuredOutputsRefuseIsAForcedTool(t *testing.T) {
	const open = `{"type":"object","properties":{"n":{"type":"integer","minimum":1}},"required":["n"],"additionalProperties":false}`
	s := serve(t, anthropicserver.Config{Answer: func(r *script.Request) script.Turn {
		return script.Turn{ToolCalls: []llm.ToolCall{{ID: "toolu_1", Name: r.Tools[0].Name, Arguments: `{"n":2}`}}}
	}})
	ask := hello()
	ask.JSONSchema = open
	got, err := llmtest.Generate(t.Context(), llmtest.Connect(t, specFor(t, s, nil)), ask)
	if err != nil || got.Text != `{"n":2}` || got.Reason != llm.FinishStop {
		t.Fatalf("got %+v, %v", got, err)
	}
	if asked := s.Requests(); len(asked) != 1 || asked[0].JSONSchema != "" || asked[0].ToolChoice != "required" || len(asked[0].Tools) != 1 {
		t.Errorf("asked %+v", asked)
	}
}

func TestArgumentsGoBackAsTheModelWroteThem(t *testing.T) {
	s := serve(t, anthropicserver.Config{})
	ask := hello()
	ask.Messages = append(ask.Messages,
		llm.Message{Role: llm.RoleAssistant, ToolCalls: []llm.ToolCall{
			{ID: "a", Name: "f", Arguments: `{"id":12345678901234567890}`}, {ID: "b", Name: "f"}, {ID: "c", Name: "f", Arguments: `{"half":`},
		}},
		llm.Message{Role: llm.RoleTool, ToolCallID: "a", Text: "1"}, llm.Message{Role: llm.RoleTool, ToolCallID: "b", Text: "2"},
		llm.Message{Role: llm.RoleTool, ToolCallID: "c", Text: "3"},
	)
	if _, err := llmtest.Generate(t.Context(), llmtest.Connect(t, specFor(t, s, nil)), ask); err != nil {
		t.Fatal(err)
	}
	calls := s.Requests()[0].Messages[1].ToolCalls
	if len(calls) != 3 || calls[0].Arguments != `{"id":12345678901234567890}` || calls[1].Arguments != "{}" || !strings.Contains(calls[2].Arguments, "half") {
		t.Errorf("sent %+v", calls)
	}
}

func TestTheBuiltPluginAnswersOverTheTrackersHandshake(t *testing.T) {
	const key = "sk-ant-process-secret"
	s := serve(t, anthropicserver.Config{Key: key, Answer: script.Sequence(
		script.Turn{Text: []string{"from ", "afar"}}, script.Turn{Status: 500, Message: "echo " + key},
	)})
	p := llmtest.Start(t, llmtest.Build(t, "github.com/goals-tracker/tracker/plugins/llm-anthropic"),
		"ANTHROPIC_API_KEY="+key, "ANTHROPIC_BASE_URL="+s.URL(), "ANTHROPIC_MODEL="+chatModel)
	d, err := p.Describe(t.Context(), "test")
	if err != nil || d.Name != "llm-anthropic" || d.Remote || len(d.Models) != 1 || d.Models[0].ContextTokens != 200_000 || !d.Models[0].Capabilities.JSONSchema {
		t.Fatalf("got %+v, %v", d, err)
	}
	got, err := llmtest.Generate(t.Context(), p.Client, hello())
	if err != nil || got.Text != "from afar" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err := llmtest.Generate(t.Context(), p.Client, hello()); err == nil || strings.Contains(err.Error(), key) || strings.Contains(p.Stderr(), key) {
		t.Errorf("the key shows: %v; stderr %q", err, p.Stderr())
	}
}

func TestConfigErrorsNameTheVariable(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "ANTHROPIC_API_KEY"},
		{map[string]string{"ANTHROPIC_BASE_URL": "ftp://x"}, "ANTHROPIC_BASE_URL"},
		{map[string]string{"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}, "ANTHROPIC_MODEL"},
		{map[string]string{"ANTHROPIC_API_KEY": "sk-1", "ANTHROPIC_IDLE_TIMEOUT": "soon"}, "ANTHROPIC_IDLE_TIMEOUT"},
		{map[string]string{"ANTHROPIC_API_KEY": "sk-1", "TRACKER_SETTINGS": `{"heders":{}}`}, "heders"},
	} {
		_, err := parseConfig(func(k string) string { return c.env[k] })
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "sk-1") {
			t.Errorf("%v: got %v", c.env, err)
		}
	}
	alone, err := parseConfig(func(k string) string { return map[string]string{"ANTHROPIC_API_KEY": "sk-1"}[k] })
	if err != nil || !alone.remote() || alone.baseURL != anthropicBaseURL || alone.describe()[0].MaxOutputTokens != 64_000 {
		t.Errorf("got %+v, %v", alone, err)
	}
	old := &config{models: []string{"claude-3-haiku-20240307", "claude-sonnet-4-20250514", "claude-sonnet-4-5"}}
	if got := old.describe(); got[0].MaxOutputTokens != 4096 || got[1].Capabilities.JSONSchema || !got[2].Capabilities.JSONSchema {
		t.Errorf("got %+v", got)
	}
}
