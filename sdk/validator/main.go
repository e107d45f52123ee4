package validator

import (
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"

	"github.com/goals-tracker/tracker/sdk/pluginproto"
	"github.com/goals-tracker/tracker/sdk/pluginproto/validatorrpc"
)

// Main serves the plugin until the tracker ends the process; it is all that a
// plugin's main function does. It does not return. A spec that is not valid
// ends the process with a text that says why.
func Main(spec *Spec) {
	judge, err := New(spec)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	names := make([]string, len(spec.Languages))
	for i, l := range spec.Languages {
		names[i] = l.Name
	}
	pluginproto.Serve(pluginproto.Service{
		Kind: pluginproto.KindValidator, Name: spec.Name, Version: spec.Version,
		Does: "judges " + strings.Join(names, ", "),
		Versions: map[int]func(*grpc.Server){
			pluginproto.ValidatorVersion: func(s *grpc.Server) { validatorrpc.Register(s, judge) },
		},
	})
}
