package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
	"github.com/goals-tracker/tracker/modules/core/cache/cachetest"
	"github.com/goals-tracker/tracker/modules/core/config"
)

func TestWhatHappensOnAServerReachesTheQueuesOfOthers(t *testing.T) {
	address := config.Secret(brokertest.URL(t))
	cfg := testConfig(t)
	cfg.RabbitMQ.URL, cfg.Redis.URL = address, config.Secret(cachetest.URL(t))
	cfg.Events.Publish.Source = "https://tracker.example.org"
	cfg.Events.Publish.Personal = false

	listener, err := broker.New(broker.Config{URL: address}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	got := make(chan broker.Delivery, 100)
	queue := broker.Queue{Name: "others", Bindings: []broker.Binding{{Exchange: "goals.events", Key: "goal.created"}}}
	running.Go(func() { _ = listener.Run(ctx) })
	running.Go(func() {
		_ = listener.Consume(ctx, broker.Consumer{Queue: queue, Handle: func(_ context.Context, d broker.Delivery) error { got <- d; return nil }})
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	until(t, time.Minute, func() (any, bool) { _, err := listener.DeadLetters(t.Context(), "others", 1); return err, err == nil })

	w := startWorldOn(t, cfg)
	goal := w.as("ada", "student", course).must(http.MethodPost, "/api/v1/goals", map[string]any{"title": "Learn loops"}).field("id")
	select {
	case d := <-got:
		var e struct {
			Source string         `json:"source"`
			UserID string         `json:"userid"`
			Data   map[string]any `json:"data"`
		}
		if err := json.Unmarshal(d.Body, &e); err != nil || e.Source != "https://tracker.example.org" || e.UserID != "ada" || e.Data["goal_id"] != goal {
			t.Errorf("it is %s: %v", d.Body, err)
		}
		if _, there := e.Data["details"]; there {
			t.Errorf("what the learner wrote left the server, which is set not to send it: %s", d.Body)
		}
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
	}
	ready := w.as("ada", "student").must(http.MethodGet, "/readyz", nil)
	if checks, _ := ready.field("checks").(map[string]any); checks["rabbitmq"] != "ok" || checks["redis"] != "ok" {
		t.Errorf("readyz says %v", checks)
	}
}
