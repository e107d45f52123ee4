package eval_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/eval"
	"github.com/goals-tracker/tracker/modules/rag/ragfx"
)

// TestEvalRetrieval prints the table of README.md. TRACKER_EVAL_SETS names
// folders of sets in the BEIR layout; TRACKER_EVAL_MODELS=all takes every model
// of this machine, and a name only that one.
func TestEvalRetrieval(t *testing.T) {
	if os.Getenv("TRACKER_EVAL") == "" {
		t.Skip("an evaluation: scripts/eval runs it")
	}
	var sets []string
	for _, folder := range filepath.SplitList(cmp.Or(os.Getenv("TRACKER_EVAL_SETS"), "../../../../shared/eval:testdata")) {
		found, err := filepath.Glob(filepath.Join(folder, "*", "corpus.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, found...)
	}
	if len(sets) == 0 {
		t.Fatal("there are no sets; TRACKER_EVAL_SETS names the folders that hold them")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	wanted := os.Getenv("TRACKER_EVAL_MODELS")
	for _, m := range localModels(t, wanted) {
		for _, corpus := range sets {
			dir := filepath.Dir(corpus)
			set, err := eval.Load(os.DirFS(dir))
			if err != nil {
				t.Fatalf("%s: %v", dir, err)
			}
			db := postgrestest.DB(t)
			gateway := local(t, db, func(cfg *llm.Config) { cfg.Routes = map[string][]string{"embed": {"llm-local/" + m}} })
			models := eval.Remember(gateway, filepath.Join(cache, "tracker", "eval"))
			service, filler := ragfx.NewHybrid(db, nobody, models, rag.DefaultConfig(), slog.New(slog.DiscardHandler))
			got, err := eval.Measure(t.Context(), service, filler, set, eval.Options{Name: filepath.Base(dir)})
			if err != nil {
				t.Fatalf("%s with %s: %v", dir, m, err)
			}
			got.EmbedP50, got.EmbedP95 = models.Questions()
			if err := got.Print(os.Stdout); err != nil {
				t.Fatal(err)
			}
			if got.Hybrid == nil || got.Hybrid.NDCG < got.BM25.NDCG {
				t.Errorf("%s with %s: with meaning the search is worse than by words alone, or has none", dir, m)
			}
		}
	}
}

// localModels are the names of the models to measure: the preferred one, one
// that was asked for, or all.
func localModels(t *testing.T, wanted string) []string {
	t.Helper()
	if wanted != "" && wanted != "all" {
		return []string{wanted}
	}
	var names []string
	for _, m := range local(t, postgrestest.DB(t), nil).Models(t.Context()) {
		if m.Embeds {
			names = append(names, m.Model)
		}
	}
	if len(names) == 0 {
		t.Fatal(fmt.Errorf("llm-local lists no model that embeds: run `tracker model pull`, of %s", strings.Join(modelDirs(), ", ")))
	}
	if wanted == "" {
		return names[:1]
	}
	return names
}
