// Command llm-anthropic is the plugin that reaches Anthropic's models, and
// servers that speak its Messages protocol, such as llama.cpp's.
//
// It is configured by environment, which the tracker hands to this process and
// to no other:
//
//	ANTHROPIC_API_KEY       key; may be empty when ANTHROPIC_BASE_URL is set
//	ANTHROPIC_BASE_URL      defaults to https://api.anthropic.com
//	ANTHROPIC_MODEL         models, comma-separated; defaults to claude-haiku-4-5 at Anthropic
//	ANTHROPIC_IDLE_TIMEOUT  longest silence of the provider; defaults to 90s
//
// Further settings come as JSON in TRACKER_SETTINGS: see settings in config.go.
//
// It is built on tmc/langchaingo's Anthropic client. What that client drops is
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
		fmt.Fprintln(os.Stderr, "llm-anthropic:", err)
		os.Exit(2)
	}
	llm.Main(spec)
}
