package llm

import (
	"fmt"
	"os"

	"google.golang.org/grpc"

	llmv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/plugin/llm/v1"
	"github.com/goals-tracker/tracker/sdk/pluginproto"
)

// Main serves the plugin until the tracker ends the process; it is all that a
// plugin's main function does. It does not return. A spec that is not valid
// ends the process with a text that says why.
func Main(spec *Spec) {
	if err := ValidateSpec(spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	pluginproto.Serve(pluginproto.Service{
		Kind: pluginproto.KindLLM, Name: spec.Name, Version: spec.Version,
		Does: "reaches language models",
		Versions: map[int]func(*grpc.Server){
			pluginproto.LLMVersion: func(s *grpc.Server) { llmv1.RegisterLlmServiceServer(s, &server{spec: spec}) },
		},
	})
}
