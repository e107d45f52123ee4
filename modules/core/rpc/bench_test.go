package rpc_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/limits"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/rpc"
)

// BenchmarkFaces is what the edge costs a call that does nothing, without
// sockets: all middleware on, one goal in the answer.
func BenchmarkFaces(b *testing.B) {
	bundle := setup(b, func(cfg *rpc.Config, _ *rpc.Deps) {
		cfg.Logger = slog.New(slog.DiscardHandler)
	})
	header := http.Header{"Authorization": {"Bearer " + token(b, "learner-1")}}
	for name, c := range map[string]struct{ method, target, body, kind string }{
		"rest-list":      {"GET", "/api/v1/goals?status=pending&page_size=20", "", ""},
		"rest-create":    {"POST", "/api/v1/goals", `{"title":"t","metadata":{"a":1}}`, "application/json"},
		"connect-list":   {"POST", "/tracker.goals.v1.GoalsService/ListGoals", `{"pageSize":20}`, "application/json"},
		"connect-create": {"POST", create, `{"title":"t"}`, "application/json"},
		"proto-list":     {"POST", "/tracker.goals.v1.GoalsService/ListGoals", "", "application/proto"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(context.Background(), c.method, c.target, bytes.NewReader([]byte(c.body)))
				r.Header = header.Clone()
				if c.kind != "" {
					r.Header.Set("Content-Type", c.kind)
				}
				w := httptest.NewRecorder()
				bundle.server.Handler().ServeHTTP(w, r)
				if w.Code >= 300 {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
	b.Run("in-process-create", func(b *testing.B) {
		ctx := auth.WithActor(context.Background(), auth.Actor{UserID: "u"})
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bundle.caller.Invoke(ctx, create, []byte(`{"title":"t"}`), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLimits is what holding people to their limits costs a call, beside
// BenchmarkFaces' rest-list without: shared through PostgreSQL, and alone.
func BenchmarkLimits(b *testing.B) {
	plenty := limits.Config{Rate: 1e6, Burst: 1e9}
	for name, c := range map[string]struct {
		cfg     limits.Config
		sharing func(b *testing.B) limits.Sharing
	}{
		"none":     {limits.Config{}, func(*testing.B) limits.Sharing { return limits.Sharing{} }},
		"alone":    {plenty, func(*testing.B) limits.Sharing { return limits.Sharing{} }},
		"postgres": {plenty, func(b *testing.B) limits.Sharing { b.Helper(); return limits.Sharing{DB: postgrestest.DB(b)} }},
	} {
		b.Run(name, func(b *testing.B) {
			bundle := setup(b, func(cfg *rpc.Config, d *rpc.Deps) {
				cfg.Logger = slog.New(slog.DiscardHandler)
				d.Limits = limits.NewAPI(limits.New(c.sharing(b)), c.cfg, nil)
			})
			header := http.Header{"Authorization": {"Bearer " + token(b, "learner-1")}}
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/api/v1/goals?status=pending&page_size=20", http.NoBody)
				r.Header = header.Clone()
				w := httptest.NewRecorder()
				bundle.server.Handler().ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
