// Package pythonhello tests the example in Python; there is no Go in it.
package pythonhello

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/goals-tracker/tracker/sdk/validatortest/conform"
)

func TestAPluginInPythonPassesAllThatOnesInGoDo(t *testing.T) {
	path, err := filepath.Abs("../../../.tools/python-hello/python-hello")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("make setup has not built it: that takes Python 3.11 to 3.13 with venv")
	}
	passed := 0
	conform.Binary(path, conform.Options{Cases: "testdata"}, func(c conform.Check) bool {
		return t.Run(c.Name, func(t *testing.T) {
			c.Run(t)
			if t.Failed() {
				t.Log(c.Fix)
			} else {
				passed++
			}
		})
	})
	if !t.Failed() && passed < 20 {
		t.Errorf("only %d checks were run", passed)
	}
}
