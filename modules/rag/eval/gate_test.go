package eval_test

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmfx"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/eval"
	"github.com/goals-tracker/tracker/modules/rag/ragfx"
	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
	"github.com/goals-tracker/tracker/sdk/llmtest"
)

// The floors are a little below what was measured (README.md): a change that
// costs more than chance is to be seen, one of rounding is not.
const (
	floorBM25   = 0.37
	floorHybrid = 0.45
	// gain is what meaning has to add to words.
	gain = 0.05
)

// nobody is an academy that the system, which evaluates, never asks.
var nobody academy.Service

func spanishSet(t *testing.T) eval.Set {
	t.Helper()
	set, err := eval.Load(os.DirFS("testdata/spanish"))
	if err != nil || len(set.Unknown) > 0 {
		t.Fatal(err, set.Unknown)
	}
	return set
}

func TestWordsFindWhatLearnersAskForInSpanish(t *testing.T) {
	db := postgrestest.DB(t)
	got, err := eval.Run(t.Context(), ragfx.NewService(db, nobody, rag.DefaultConfig()), "spanish", spanishSet(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("nDCG@10 %.4f, MRR@10 %.4f, recall@10 %.4f", got.NDCG, got.MRR, got.Recall)
	if got.NDCG < floorBM25 || got.Method != "bm25" {
		t.Errorf("%s reaches nDCG@10 %.4f, its floor is %.2f", got.Method, got.NDCG, floorBM25)
	}
}

func TestMeaningFindsMoreThanWordsInSpanish(t *testing.T) {
	db := postgrestest.DB(t)
	models := local(t, db, nil)
	cfg := rag.DefaultConfig()
	service, filler := ragfx.NewHybrid(db, nobody, models, cfg, slog.New(slog.DiscardHandler))
	got, err := eval.Measure(t.Context(), service, filler, spanishSet(t), eval.Options{Name: "spanish", Brief: true})
	if err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	if err := got.Print(&report); err != nil {
		t.Fatal(err)
	}
	t.Log(report.String())
	if got.Hybrid == nil {
		t.Fatalf("the model that is installed made no vectors: %s", got.Fallback)
	}
	if got.Hybrid.NDCG < floorHybrid || got.Gain.Relative < gain || got.Gain.P >= 0.05 {
		t.Errorf("nDCG@10 is %.4f (floor %.2f), %+.1f %% on BM25 (at least %+.0f %%), p = %.4f (below 0.05)",
			got.Hybrid.NDCG, floorHybrid, 100*got.Gain.Relative, 100*gain, got.Gain.P)
	}
}

// modelDirs are the folders with models of this machine.
func modelDirs() []string {
	dirs := []string{"/var/lib/tracker/models"}
	if data := os.Getenv("TRACKER_DATA_DIR"); data != "" {
		dirs = append(dirs, filepath.Join(data, "models"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs, filepath.Join(home, ".local", "share", "tracker", "models"))
	}
	return dirs
}

// local is the gateway over llm-local, with the model that it prefers or the
// routes that edit sets.
func local(t *testing.T, db *postgres.DB, edit func(*llm.Config)) llm.Service {
	t.Helper()
	dirs := modelDirs()
	for _, name := range []string{"onnxruntime", "multilingual-e5-small"} {
		if !installed(dirs, name) {
			t.Skipf("%s is not on this machine: run `tracker model pull`", name)
		}
	}
	binary := llmtest.Build(t, "github.com/goals-tracker/tracker/plugins/llm-local")
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
	cfg := llm.DefaultConfig()
	if edit != nil {
		edit(&cfg)
	}
	models, err := llmfx.New(cfg, db, host, log)
	if err != nil {
		t.Fatal(err)
	}
	return models
}

func installed(dirs []string, name string) bool {
	for _, dir := range dirs {
		if found, err := fs.Glob(os.DirFS(dir), name+"/*"); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}
