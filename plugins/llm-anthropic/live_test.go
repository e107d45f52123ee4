package main

import (
	"os"
	"testing"

	"github.com/goals-tracker/tracker/sdk/llmtest"
)

// TestLiveLlamaCpp holds the built plugin against a real llama.cpp server, which
// speaks Anthropic's protocol too. It knows no structured outputs in it.
func TestLiveLlamaCpp(t *testing.T) {
	url := os.Getenv("TRACKER_LIVE_LLM")
	if url == "" {
		t.Skip("`make test-llm` runs this against a real server")
	}
	p := llmtest.Start(t, llmtest.Build(t, "github.com/goals-tracker/tracker/plugins/llm-anthropic"),
		"ANTHROPIC_BASE_URL="+url, "ANTHROPIC_MODEL=smollm2")
	llmtest.TestLive(t, llmtest.Live{Client: p.Client, ChatModel: "smollm2"})
}
