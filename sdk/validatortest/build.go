package validatortest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build compiles the main package of the test's folder and returns the
// program's path, for Binary. Where TRACKER_BIN names a folder of built
// programs, the one in its plugins folder is taken: tests may run where there
// is no Go.
func Build(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if built := filepath.Join(os.Getenv("TRACKER_BIN"), "plugins", filepath.Base(dir)); os.Getenv("TRACKER_BIN") != "" {
		if _, err := os.Stat(built); err == nil {
			return built
		}
	}
	out := filepath.Join(t.TempDir(), filepath.Base(dir))
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", out, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the plugin: %v\n%s", err, text)
	}
	return out
}
