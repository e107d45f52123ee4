package validationtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
)

var built struct {
	sync.Once
	path string
	err  error
}

// PythonBinary is the Python validator: $TRACKER_BIN's, else built once.
func PythonBinary(ctx context.Context) (string, error) {
	built.Do(func() {
		if dir := os.Getenv("TRACKER_BIN"); dir != "" {
			path := filepath.Join(dir, "plugins", "validator-python")
			if _, err := os.Stat(path); err == nil {
				built.path = path
				return
			}
		}
		dir, err := os.MkdirTemp("", "validator-python-*")
		if err != nil {
			built.err = err
			return
		}
		_, here, _, _ := runtime.Caller(0)
		built.path = filepath.Join(dir, "validator-python")
		// Built for all tests, so no single one's end ends it.
		build := exec.CommandContext(context.WithoutCancel(ctx), "go", "build", "-o", built.path, "./plugins/validator-python")
		build.Dir = filepath.Join(filepath.Dir(here), "..", "..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build validator-python: %w\n%s", err, out)
		}
	})
	return built.path, built.err
}

// CleanUp removes what PythonBinary built; for TestMain.
func CleanUp() {
	if built.path != "" && filepath.Dir(built.path) != filepath.Join(os.Getenv("TRACKER_BIN"), "plugins") {
		_ = os.RemoveAll(filepath.Dir(built.path))
	}
}

// Python is a host of the Python validator, closed when the test ends.
func Python(t testing.TB) *pluginhost.Host {
	t.Helper()
	path, err := PythonBinary(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	host, err := Host(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return host
}

// Host is a host of the Python validator at path.
func Host(path string) (*pluginhost.Host, error) {
	sum, err := pluginhost.Sum(path)
	if err != nil {
		return nil, err
	}
	return pluginhost.New(pluginhost.Config{Plugins: []pluginhost.Plugin{{Name: "validator-python", Path: path, SHA256: sum, Enabled: true}}})
}
