package service_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmfx"
	"github.com/goals-tracker/tracker/modules/rag"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
	sdk "github.com/goals-tracker/tracker/sdk/llm"
)

// asRanker makes this program a plugin that ranks, instead of tests.
const asRanker = "RAG_TEST_RANKER"

func init() { //nolint:gochecknoinits // before any test: the plugin is this program, so no compiler is needed
	if os.Getenv(asRanker) == "" {
		return
	}
	sdk.Main(&sdk.Spec{
		Name: "llm-ranker", Version: "1.0.0",
		Models: []sdk.Model{{ID: "tells-of-fuel", ContextTokens: 512, Capabilities: sdk.Capabilities{Rerank: true}}},
		// It likes what tells of fuel, the more often the better.
		Rerank: func(_ context.Context, req *sdk.RerankRequest) (*sdk.Ranking, error) {
			out := &sdk.Ranking{Model: req.Model, Usage: sdk.Usage{InputTokens: len(req.Passages)}}
			for _, p := range req.Passages {
				out.Scores = append(out.Scores, float64(strings.Count(p, "fuel")))
			}
			return out, nil
		},
	})
	os.Exit(0)
}

// ranked are models of which one ranks in a process of its own.
type ranked struct {
	*model
	gateway llm.Service
}

func (r ranked) Rerank(ctx context.Context, req llm.RerankRequest) (*llm.Ranking, error) {
	return r.gateway.Rerank(ctx, req)
}

func (r ranked) Available(purpose llm.Purpose) bool {
	if purpose == llm.Rerank {
		return r.gateway.Available(purpose)
	}
	return r.model.Available(purpose)
}

func TestAPluginInItsOwnProcessOrdersWhatIsFoundAndItsDeathLeavesTheOrder(t *testing.T) {
	h := setupHybrid(t)
	h.ingest(tess, "c1", false,
		"a.md", "# Vehicle\n\nA vehicle is a vehicle: a car or a truck.\n",
		"b.md", "# Driving\n\nAny vehicle stops without fuel.\n",
		"c.md", "# Stations\n\nA vehicle takes fuel at a station, and that fuel is dear.\n")
	h.fill()
	q := rag.Query{Text: "vehicle", CourseID: "c1"}
	plain := h.ask(ada, q)
	if first(plain) == "c.md" || len(plain.Passages) != 3 || plain.Reranked {
		t.Fatalf("without a ranker: got %+v", plain)
	}

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := pluginhost.Sum(self)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	host, err := pluginhost.New(pluginhost.Config{Logger: log, Plugins: []pluginhost.Plugin{{
		Name: "llm-ranker", Path: self, SHA256: sum, Enabled: true, Env: map[string]string{asRanker: "1"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	gateway, err := llmfx.New(llm.DefaultConfig(), h.db, host, log)
	if err != nil {
		t.Fatal(err)
	}
	cfg := rag.DefaultConfig()
	cfg.EmbedDeadline, cfg.RerankDeadline = 20*time.Second, 20*time.Second // a busy machine changes no ranking
	search := service.New(h.db, nil, cfg, time.Now).WithModels(ranked{h.model, gateway})
	paths := func(found rag.Result) (list []string) {
		for _, p := range found.Passages {
			list = append(list, p.Path)
		}
		return list
	}
	// No search waits for a plugin that starts.
	var got rag.Result
	for deadline := time.Now().Add(time.Minute); !got.Reranked && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if got, err = search.Search(t.Context(), ada, q); err != nil {
			t.Fatal(err)
		}
	}
	if order := strings.Join(paths(got), " "); order != "c.md b.md a.md" || !got.Reranked {
		t.Errorf("the ranker's order is c.md b.md a.md, got %s (reranked %t)", order, got.Reranked)
	}

	if err := host.Close(); err != nil {
		t.Fatal(err)
	}
	got, err = search.Search(t.Context(), ada, q)
	if err != nil {
		t.Fatal(err)
	}
	if order, was := strings.Join(paths(got), " "), strings.Join(paths(plain), " "); order != was || got.Reranked {
		t.Errorf("without its process the order is %s, got %s (reranked %t)", was, order, got.Reranked)
	}
}
