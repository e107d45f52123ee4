//go:build linux && (amd64 || arm64)

package sandbox

import (
	"os"
	"strings"
	"testing"
)

func TestPid1RefusesToBuildInANamespaceOfTheHost(t *testing.T) {
	r := newRunner(t, Config{})
	if len(r.outside) < 6 {
		t.Fatalf("checked only %q", r.outside)
	}
	// Told that some namespace of the room's own kind is the host's, it must
	// stop; the cheapest way to say so is not to know them.
	known := r.outside
	r.outside = nil
	if err := r.tryRoom(); err == nil || !strings.Contains(err.Error(), "namespaces are not known") {
		t.Errorf("got %v", err)
	}
	r.outside = known
	before, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, r, shell("cat /proc/sys/kernel/hostname 2>/dev/null || uname -n"), Exited, 0, "sandbox")
	if after, err := os.Hostname(); err != nil || after != before {
		t.Errorf("the host was %q and is %q, %v", before, after, err)
	}
}
