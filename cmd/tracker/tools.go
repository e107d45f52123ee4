package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"go.uber.org/dig"
	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
)

// withModules wires the modules on the configured database without serving, for
// commands that work beside a server. into are pointers to what the command
// needs of them.
func withModules(ctx context.Context, flags *ConfigFlags, fn func(*database) error, into ...any) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	if cfg.Auth.SecretKey == "" {
		// Nobody signs in here, but the graph is the server's.
		cfg.Auth.SecretKey = "unused-by-commands-that-do-not-serve"
	}
	cfg.Telemetry.LogLevel = "warn"
	logger, err := cfg.logger(os.Stderr)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, cfg, logger)
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

// rootCause is what a constructor said, without the chain of those that wait for
// what it makes.
func rootCause(err error) error { return dig.RootCause(err) }

// idle is the graph without what goes on by itself.
func idle(cfg Config, db *database, logger *slog.Logger) fx.Option {
	return fx.Options(
		fx.WithLogger(func() fxevent.Logger { return fxevent.NopLogger }),
		fx.Supply(db.DB, logger, personal), settings(cfg), core, modules,
	)
}
