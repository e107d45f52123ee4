// Package forkparenttest holds what plugins that use forkparent are tested with.
package forkparenttest

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
)

// Installer checks that the plugin's toolchain/install tells changed sources, own
// among them, by the digest that the plugin expects. Were they different, each run
// would compile anew what is there.
func Installer(t *testing.T, own []byte) {
	t.Helper()
	want, err := forkparent.Digest(own)
	if err != nil {
		t.Fatal(err)
	}
	got, err := exec.CommandContext(t.Context(), "toolchain/install", "--sources").Output()
	if err != nil || strings.TrimSpace(string(got)) != want {
		t.Errorf("the installer says %q, %v; the plugin %q", got, err, want)
	}
}
