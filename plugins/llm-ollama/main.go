// Command llm-ollama is the plugin that reaches models on an Ollama server by
// Ollama's own protocol: it finds the installed models and what each can do, and
// gives them room for longer prompts than Ollama does by default.
//
// It is configured by environment, which the tracker hands to this process and
// to no other:
//
//	OLLAMA_HOST             server; defaults to 127.0.0.1:11434
//	OLLAMA_MODEL            chat models, comma-separated; defaults to all that are installed
//	OLLAMA_EMBEDDING_MODEL  embedding models; defaults to all that are installed
//	OLLAMA_API_KEY          sent as a bearer, for servers behind a proxy; optional
//	OLLAMA_NUM_CTX          tokens that prompt and answer may have; defaults to 8192
//	OLLAMA_IDLE_TIMEOUT     longest silence, loading a model included; defaults to 5m
//
// Further settings come as JSON in TRACKER_SETTINGS: see settings in config.go.
//
// It is built on tmc/langchaingo's Ollama client. What that client drops is
// mended around it: see model.go, and protocol.go for the answers.
package main

import (
	"fmt"
	"os"

	"github.com/goals-tracker/tracker/sdk/llm"
)

func main() {
	spec, err := newSpec(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "llm-ollama:", err)
		os.Exit(2)
	}
	llm.Main(spec)
}
