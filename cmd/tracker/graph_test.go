package main

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/goleak"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func TestGraph(t *testing.T) {
	if err := fx.ValidateApp(graph(DefaultConfig(), nil, slog.Default())); err != nil {
		t.Fatal(err)
	}
}

func TestTheServerStartsAndStopsAndLeavesNothingRunning(t *testing.T) {
	url := postgrestest.URL(t)
	cfg := testConfig(t)
	before := goleak.IgnoreCurrent()
	for range 2 {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		app := fx.New(graph(cfg, db, slog.New(slog.DiscardHandler)))
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err := app.Stop(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		db.Close()
	}
	runtime.GC()
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"))
}
