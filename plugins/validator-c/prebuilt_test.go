package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent"
)

// Were they different, each run would compile anew what is there.
func TestTheInstallerAndThePluginTellSourcesApartTheSameWay(t *testing.T) {
	own, err := compiledOwn()
	if err != nil {
		t.Fatal(err)
	}
	want, err := forkparent.Digest(own)
	if err != nil {
		t.Fatal(err)
	}
	got, err := exec.CommandContext(t.Context(), "toolchain/install", "--sources").Output()
	if err != nil || strings.TrimSpace(string(got)) != want {
		t.Errorf("the installer says %q, %v; the plugin %q", got, err, want)
	}
}
