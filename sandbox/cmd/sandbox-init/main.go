//go:build linux && (amd64 || arm64)

// Command sandbox-init is the first process of every sandbox. It does nothing
// by itself: the server starts it when it lies beside the server's executable,
// because it starts faster than the server's own binary would.
package main

import (
	"os"

	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
)

func main() {
	if len(os.Args) > 0 && os.Args[0] == pid1.ProbeMarker {
		pid1.Probe()
	}
	pid1.Main()
}
