package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/cache"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// cacheChannel is where replicas tell each other what they remember no longer.
const cacheChannel = "tracker_cache"

// forgotten is what one replica tells the others.
type forgotten struct {
	From   string       `json:"from"`
	Notice cache.Notice `json:"notice"`
}

// newCache makes what this replica remembers, which forgets what the others say.
func newCache(lc fx.Lifecycle, cfg Config, db *postgres.DB, listener *postgres.Listener, logger *slog.Logger) (*cache.Cache, error) {
	c, err := cache.New(cfg.Redis, logger)
	if err != nil {
		return nil, err
	}
	replica := uuid.NewString()
	c.Tell(func(n cache.Notice) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		payload, err := json.Marshal(forgotten{replica, n})
		if err == nil {
			err = db.Notify(ctx, cacheChannel, string(payload))
		}
		if err != nil {
			logger.Warn("the other replicas were not told what to forget; they ask again within a minute", "error", err)
		}
	})
	listener.On(cacheChannel, func(payload string) {
		var f forgotten
		switch {
		case payload == "" || json.Unmarshal([]byte(payload), &f) != nil:
			c.Missed()
		case f.From != replica:
			c.Heard(f.Notice)
		}
	})
	lc.Append(fx.StopHook(c.Close))
	return c, nil
}

// newBroker makes the connection to RabbitMQ, which is there before those who
// use it start, and goes after them.
func newBroker(lc fx.Lifecycle, cfg Config, logger *slog.Logger) (*broker.Broker, error) {
	b, err := broker.New(cfg.RabbitMQ, logger)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	lc.Append(fx.Hook{
		OnStart: func(context.Context) error {
			running.Go(func() { _ = b.Run(ctx) })
			return nil
		},
		OnStop: func(context.Context) error { stop(); running.Wait(); return nil },
	})
	return b, nil
}
