package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/sdk/llm"
	"github.com/goals-tracker/tracker/sdk/llmtest/openaiserver"
	"github.com/goals-tracker/tracker/sdk/llmtest/script"
)

// One server of each kind that speaks the protocol, by what is special to it.
func TestServersOfTheProtocol(t *testing.T) {
	ask := &llm.GenerateRequest{Model: "m", MaxTokens: 9, Messages: []llm.Message{{Role: llm.RoleUser, Text: "hi"}}}
	for name, c := range map[string]struct {
		server openaiserver.Config
		env    map[string]string
		sent   []string
	}{
		"Azure": {
			server: openaiserver.Config{APIVersion: "2024-10-21", Key: "azure-key"},
			env:    map[string]string{"OPENAI_API_KEY": "azure-key", "OPENAI_API_VERSION": "2024-10-21"},
			sent:   []string{`"max_completion_tokens":9`},
		},
		"vLLM": { // its own key, the older bound, fields of its own
			server: openaiserver.Config{Key: "token-abc123"}, env: map[string]string{"OPENAI_API_KEY": "token-abc123"},
			sent: []string{`"max_tokens":9`},
		},
		"llama.cpp": {sent: []string{`"max_tokens":9`}},
		"LM Studio": { // knows json_schema, and no other response_format
			server: openaiserver.Config{Refuse: []string{"json_object"}}, sent: []string{`"max_tokens":9`},
		},
		"Ollama": {server: openaiserver.Config{Refuse: []string{"stream_options"}}, sent: []string{`"max_tokens":9`}},
		"a gateway with a header": {
			env: map[string]string{"TRACKER_SETTINGS": `{"headers":{"X-Team":"platform"},"context_tokens":4096,"lacks":["tools"]}`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.server)
			env := map[string]string{"OPENAI_MODEL": "m", "OPENAI_EMBEDDING_MODEL": "e"}
			for k, v := range c.env {
				env[k] = v
			}
			spec := specFor(t, s, env)
			if _, err := spec.Generate(t.Context(), ask, func(llm.Chunk) error { return nil }); err != nil {
				t.Fatal(err)
			}
			if got, err := spec.Embed(t.Context(), &llm.EmbedRequest{Model: "e", Texts: []string{"a", "b"}}); err != nil || len(got.Vectors) != 2 {
				t.Fatalf("got %+v, %v", got, err)
			}
			asked := s.Requests()
			last := asked[len(asked)-2] // the one before the embedding
			if last.Model != "m" || asked[len(asked)-1].Model != "e" {
				t.Errorf("asked %q and %q", last.Model, asked[len(asked)-1].Model)
			}
			if strings.Contains(env["TRACKER_SETTINGS"], "X-Team") && (last.Header.Get("X-Team") != "platform" || last.Header.Get("Authorization") != "") {
				t.Errorf("sent headers %v", last.Header)
			}
			for _, want := range c.sent {
				if !strings.Contains(string(last.Body), want) {
					t.Errorf("sent %s, without %s", last.Body, want)
				}
			}
		})
	}
}

func TestSettingsSayWhatAServerLacks(t *testing.T) {
	c, err := parseConfig(func(k string) string {
		return map[string]string{
			"OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "OPENAI_MODEL": "m",
			"TRACKER_SETTINGS":       `{"headers":{"Authorization":"Bearer very-secret"},"context_tokens":4096,"dimensions":7,"idle_timeout":"3m","lacks":["tools","json_schema"]}`,
			"OPENAI_EMBEDDING_MODEL": "e",
		}[k]
	})
	if err != nil {
		t.Fatal(err)
	}
	m := c.models()[0]
	if c.models()[1].Dimensions != 7 || c.idleTimeout != 3*time.Minute {
		t.Errorf("got %+v", c)
	}
	if m.ContextTokens != 4096 || m.Capabilities.Tools || m.Capabilities.JSONSchema || !m.Capabilities.JSONMode {
		t.Errorf("got %+v", m)
	}
	if !slices.Contains(c.secrets(), "Bearer very-secret") {
		t.Error("what a header holds is no secret")
	}
	s := serve(t, openaiserver.Config{Answer: script.Say(`{"ok":true}`)})
	spec := specFor(t, s, map[string]string{"TRACKER_SETTINGS": `{"lacks":["tools","json_schema"]}`})
	ask := &llm.GenerateRequest{Model: "gpt-4o-mini", JSONSchema: `{"type":"object"}`, Messages: []llm.Message{{Role: llm.RoleUser, Text: "hi"}}}
	if _, err := spec.Generate(t.Context(), ask, func(llm.Chunk) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if asked := s.Requests(); len(asked) != 1 || !asked[0].JSONMode {
		t.Errorf("%d requests, the first %s", len(asked), asked[0].Body)
	}
	for _, bad := range []string{`{"lacks":["wings"]}`, `{"base":1}`, `{`} {
		if _, err := parseConfig(func(k string) string { return map[string]string{"OPENAI_API_KEY": "sk-1", "TRACKER_SETTINGS": bad}[k] }); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestAModelMayBothAnswerAndEmbed(t *testing.T) {
	spec := specFor(t, serve(t, openaiserver.Config{}), map[string]string{
		"OPENAI_MODEL": "both", "OPENAI_EMBEDDING_MODEL": "both,other", "OPENAI_EMBEDDING_DIMENSIONS": "576",
	})
	if err := llm.ValidateSpec(spec); err != nil {
		t.Fatal(err)
	}
	if m := spec.Models; len(m) != 2 || !m[0].Capabilities.Generate || !m[0].Capabilities.Embed || m[0].Dimensions != 576 || m[1].Capabilities.Generate {
		t.Errorf("got %+v", m)
	}
}
