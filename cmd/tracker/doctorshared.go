package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/goals-tracker/tracker/modules/core/broker"
	"github.com/goals-tracker/tracker/modules/core/cache"
)

// brokerFinding says whether RabbitMQ can be used. The server does its work
// without, so it is no failure of the server, but one of the settings.
func brokerFinding(ctx context.Context, cfg Config, logger *slog.Logger) finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	b, err := broker.New(cfg.RabbitMQ, logger)
	if err != nil {
		return finding{"rabbitmq", "FAILED", err.Error()}
	}
	server, err := b.Check(ctx)
	switch {
	case errors.Is(err, broker.ErrNotConfigured):
		return finding{"rabbitmq", "none", "RABBITMQ_URL is not set: events leave by webhooks only"}
	case err != nil:
		return finding{"rabbitmq", "FAILED", "can't be reached; events wait until it is back: " + err.Error()}
	}
	return finding{"rabbitmq", "ok", server}
}

// cacheFinding says whether Redis can be used.
func cacheFinding(ctx context.Context, cfg Config, logger *slog.Logger) finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if cfg.Redis.URL == "" {
		return finding{"redis", "none", "REDIS_URL is not set: each replica caches by itself"}
	}
	settings := cfg.Redis
	settings.Timeout = max(settings.Timeout, 3*time.Second) // a first connection takes longer
	c, err := cache.New(settings, logger)
	if err != nil {
		return finding{"redis", "FAILED", err.Error()}
	}
	defer c.Close()
	if err := c.Check(ctx); err != nil {
		return finding{"redis", "FAILED", err.Error()}
	}
	return finding{"redis", "ok", "shared by all replicas"}
}
