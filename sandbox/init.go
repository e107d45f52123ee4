//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"

	"github.com/goals-tracker/tracker/sandbox/internal/pid1"
)

// Init takes over when the program was started as the first process of a room,
// and then never returns; otherwise it does nothing. Call it before anything
// else in main, and in TestMain.
func Init() {
	if len(os.Args) == 0 {
		return
	}
	switch os.Args[0] {
	case pid1.Marker, pid1.BareMarker, pid1.GuestMarker:
		pid1.Main()
	case pid1.ProbeMarker:
		pid1.Probe()
	}
}
