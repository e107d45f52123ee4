package main

import (
	"testing"

	"github.com/goals-tracker/tracker/plugins/internal/forkparent/forkparenttest"
)

func TestTheInstallerAndThePluginTellSourcesApartTheSameWay(t *testing.T) {
	own, err := compiledOwn()
	if err != nil {
		t.Fatal(err)
	}
	forkparenttest.Installer(t, own)
}
