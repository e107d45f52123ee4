//go:build cgo

// Command llm-local is the plugin that embeds texts on this machine:
// no text leaves it, no key is needed.
//
// It runs models in ONNX that `tracker model pull` has fetched, on Microsoft's
// ONNX Runtime. The library is loaded when it is first needed, so that the
// plugin starts, and says what is missing, where there is none. It is built with
// cgo, which is why only this program has it: without a C compiler it is not
// built, and search is by words alone.
//
// The tracker says in TRACKER_MODELS_DIRS where models are. Settings
// (plugins.settings.llm-local), all Optional:
//
//	model    the model that embeds where nobody names one; defaults to the best
//	         one that is there, see README.md
//	dirs     more folders with models
//	threads  how many texts are computed at a time; defaults to half of the
//	         processors, at least 1
package main

import (
	"fmt"
	"os"

	"github.com/goals-tracker/tracker/sdk/llm"
)

func main() {
	set, err := readSettings(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "llm-local:", err)
		os.Exit(2)
	}
	llm.Main(newSpec(set))
}
