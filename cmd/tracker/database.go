package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/cluster"
	"github.com/goals-tracker/tracker/modules/core/postgres/migrate"
)

// database is the configured database, or an own PostgreSQL in the data folder.
type database struct {
	*postgres.DB
	url     string
	cluster *cluster.Cluster
	logger  *slog.Logger
}

// openServer finds or starts the database server and says how to reach it.
func openServer(ctx context.Context, cfg Config, logger *slog.Logger) (*database, error) {
	if url := cfg.Database.URL.Reveal(); url != "" {
		return &database{url: postgres.NormalizeURL(url), logger: logger}, nil
	}
	c, err := cluster.Start(ctx, cluster.Config{DataDir: cfg.DataDir, Binaries: cfg.Database.Binaries, Logger: logger})
	if err != nil {
		return nil, err
	}
	return &database{url: c.URL(""), cluster: c, logger: logger}, nil
}

// openDatabase opens the database, migrated.
func openDatabase(ctx context.Context, cfg Config, logger *slog.Logger) (*database, error) {
	d, err := openServer(ctx, cfg, logger)
	if err != nil {
		return nil, err
	}
	if cfg.Database.Migrate {
		if err := migrate.Up(ctx, d.url); err != nil {
			d.Close(ctx)
			return nil, fmt.Errorf("migrate the database: %w", err)
		}
	}
	d.DB, err = postgres.Open(ctx, postgres.Config{
		URL: d.url, MaxConns: cfg.Database.MaxConns, SystemConns: cfg.Database.SystemConns,
		StatementTimeout: cfg.Database.StatementTimeout, Logger: logger,
	})
	if err != nil {
		d.Close(ctx)
		return nil, err
	}
	return d, nil
}

// Close ends the connections, and the own server when this process owns it. It
// does so even when ctx has ended.
func (d *database) Close(ctx context.Context) {
	if d.DB != nil {
		d.DB.Close()
	}
	if d.cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := d.cluster.Stop(ctx); err != nil {
		d.logger.Warn("the embedded PostgreSQL did not stop cleanly; the next start recovers it", "error", err)
	}
}
