package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/migrate"
)

// withThrowaway wires the modules on a database of their own, made beside the
// configured one and dropped afterwards: what is measured there meets nobody's
// material, and leaves none.
func withThrowaway(ctx context.Context, cfg Config, fn func(*database) error, into ...any) (err error) {
	if cfg.Auth.SecretKey == "" {
		cfg.Auth.SecretKey = "unused-by-commands-that-do-not-serve"
	}
	cfg.Telemetry.LogLevel = "warn"
	logger, err := cfg.logger(os.Stderr)
	if err != nil {
		return err
	}
	server, err := openServer(ctx, cfg, logger)
	if err != nil {
		return err
	}
	defer server.Close(ctx)
	name := "tracker_measured_" + uuid.NewString()[:8]
	if err := onServer(ctx, server.url, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return fmt.Errorf("make a database to measure in (the login role needs CREATEDB): %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if dropErr := onServer(ctx, server.url, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err == nil && dropErr != nil {
			err = fmt.Errorf("drop the database %s: %w", name, dropErr)
		}
	}()
	own, err := databaseAt(server.url, name)
	if err != nil {
		return err
	}
	if err := migrate.Up(ctx, own); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	db := &database{url: own, logger: logger}
	db.DB, err = postgres.Open(ctx, postgres.Config{
		URL: own, MaxConns: cfg.Database.MaxConns, SystemConns: cfg.Database.SystemConns, StatementTimeout: 5 * time.Minute, Logger: logger,
	})
	if err != nil {
		return err
	}
	defer db.Close(ctx)
	app := fx.New(idle(cfg, db, logger), fx.Populate(into...), fx.StopTimeout(20*time.Second))
	if err := app.Err(); err != nil {
		return rootCause(err)
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.StopTimeout())
		defer cancel()
		_ = app.Stop(stopping)
	}()
	return fn(db)
}

func databaseAt(server, name string) (string, error) {
	cfg, err := pgx.ParseConfig(server)
	if err != nil {
		return "", fmt.Errorf("read the database's address: %w", err)
	}
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("give the database as a URL, postgresql://user@%s/name, to measure on it", cfg.Host)
	}
	u.Path = "/" + name
	return u.String(), nil
}

func onServer(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}
