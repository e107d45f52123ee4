package main

import (
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent/forkparenttest"
)

func TestTheInstallerAndThePluginTellSourcesApartTheSameWay(t *testing.T) {
	own, err := harness.ReadFile("rust/gt_harness.rs")
	if err != nil {
		t.Fatal(err)
	}
	forkparenttest.Installer(t, own)
}
