package main

import (
	"os"
	"testing"

	"github.com/goals-tracker/tracker/sdk/llmtest"
)

// TestLiveLlamaCpp holds the built plugin against a real llama.cpp server: once
// as it comes, with schemas, and once on the way down without them.
func TestLiveLlamaCpp(t *testing.T) {
	url := os.Getenv("TRACKER_LIVE_LLM")
	if url == "" {
		t.Skip("`make test-llm` runs this against a real server")
	}
	binary := llmtest.Build(t, "github.com/goals-tracker/tracker/plugins/llm-openai")
	start := func(t *testing.T, settings string) *llmtest.Client {
		t.Helper()
		return llmtest.Start(t, binary, "OPENAI_BASE_URL="+url+"/v1", "OPENAI_MODEL=smollm2", "OPENAI_EMBEDDING_MODEL=smollm2", settings).Client
	}
	t.Run("as it comes", func(t *testing.T) {
		llmtest.TestLive(t, llmtest.Live{Client: start(t, ""), ChatModel: "smollm2", EmbeddingModel: "smollm2", HoldsSchemas: true})
	})
	t.Run("without json_schema", func(t *testing.T) {
		llmtest.TestLive(t, llmtest.Live{
			Client: start(t, `TRACKER_SETTINGS={"lacks":["json_schema"]}`), ChatModel: "smollm2", SchemaOnly: true, HoldsJSON: true,
		})
	})
}
