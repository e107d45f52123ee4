package llmtest

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmfx"
	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
	sdktest "github.com/goals-tracker/tracker/sdk/llmtest"
)

// Local is the real gateway over the built llm-local plugin, which embeds on
// this machine with the models that `make setup` has pulled. It skips the test
// where there are none.
func Local(t testing.TB, db *postgres.DB) llm.Service {
	t.Helper()
	dirs := ModelDirs()
	models, err := localmodel.List(dirs...)
	if len(models) < 2 { // the library and one that it runs
		t.Skipf("no models are on this machine (%v): run `tracker model pull`", err)
	}
	binary := sdktest.Build(t, "github.com/goals-tracker/tracker/plugins/llm-local")
	sum, err := pluginhost.Sum(binary)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	host, err := pluginhost.New(pluginhost.Config{Logger: log, Plugins: []pluginhost.Plugin{{
		Name: "llm-local", Path: binary, SHA256: sum, Enabled: true,
		Env: map[string]string{localmodel.EnvDirs: strings.Join(dirs, string(filepath.ListSeparator))},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	service, err := llmfx.New(llm.DefaultConfig(), db, host, log)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// ModelDirs are the folders where this machine may have models.
func ModelDirs() []string {
	var dirs []string
	if data := os.Getenv("TRACKER_DATA_DIR"); data != "" {
		dirs = append(dirs, filepath.Join(data, "models"))
	}
	dirs = append(dirs, "/var/lib/tracker/models")
	if home, err := os.UserHomeDir(); err == nil && os.Geteuid() != 0 {
		dirs = append(dirs, filepath.Join(home, ".local", "share", "tracker", "models"))
	}
	return dirs
}
