// Command llm-openai is the plugin that reaches OpenAI and every server that
// speaks its protocol: Azure, vLLM, llama.cpp, LM Studio, Ollama's /v1.
//
// It is configured by environment, which the tracker hands to this process and
// to no other:
//
//	OPENAI_API_KEY               key; may be empty when OPENAI_BASE_URL is set
//	OPENAI_BASE_URL              defaults to https://api.openai.com/v1
//	OPENAI_API_VERSION           for Azure, whose resource is the base URL then
//	OPENAI_ORGANIZATION          optional
//	OPENAI_MODEL                 chat models, comma-separated; defaults to gpt-4o-mini at OpenAI
//	OPENAI_EMBEDDING_MODEL       embedding models; defaults to text-embedding-3-small at OpenAI
//	OPENAI_EMBEDDING_DIMENSIONS  length of the vectors of models that this file does not know
//	OPENAI_IDLE_TIMEOUT          longest silence of the provider; defaults to 90s
//
// Further settings come as JSON in TRACKER_SETTINGS: see settings in config.go.
//
// It is built on tmc/langchaingo's OpenAI client. What that client gets wrong
// is mended in the layer below it, between it and HTTP: see protocol.go and the
// package wire.
package main

import (
	"fmt"
	"os"

	"github.com/goals-tracker/tracker/sdk/llm"
)

func main() {
	spec, err := newSpec(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "llm-openai:", err)
		os.Exit(2)
	}
	llm.Main(spec)
}
