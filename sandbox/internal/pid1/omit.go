//go:build linux && (amd64 || arm64)

package pid1

// Layers that Omit knows.
const (
	OmitCapabilities = "capabilities"
	// OmitPrivileges leaves out no_new_privs, and with it the filter, which the
	// kernel refuses without.
	OmitPrivileges = "no_new_privs"
	OmitIdentity   = "identity"
	OmitHidepid    = "own /proc"
	OmitReadOnly   = "read-only"
	OmitDiskLimit  = "disk limit"
	OmitShield     = "init shielded"
)

// omitted is read by pid 1 alone.
var omitted string

// Omit leaves one layer out of the room that this process is about to build.
// Nothing but the sandbox's own tests calls it, to see that they notice.
func Omit(layer string) { omitted = layer }
