package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/telemetry"
)

type serveCmd struct {
	Address string   `help:"Where to listen, instead of server.address."`
	Roles   []string `help:"What this replica is for, instead of server.roles: some of api, worker, publisher."`
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	if c.Address != "" {
		cfg.Server.Address = c.Address
	}
	if len(c.Roles) > 0 {
		cfg.Server.Roles = c.Roles
	}
	if err := cfg.CheckServer(); err != nil {
		return err
	}
	logger, err := cfg.logger(os.Stderr)
	if err != nil {
		return err
	}
	stopTracing, err := telemetry.StartTracing(ctx, cfg.Telemetry, version)
	if err != nil {
		return err
	}
	defer func() { _ = stopTracing(context.WithoutCancel(ctx)) }()
	db, err := openDatabase(ctx, cfg, logger)
	if err != nil {
		return err
	}
	defer db.Close(ctx)

	var drain *drain
	app := fx.New(graph(cfg, db.DB, logger), fx.Populate(&drain), fx.StartTimeout(time.Minute), fx.StopTimeout(cfg.Server.DrainDelay+cfg.Server.Grace+cfg.Jobs.Grace+20*time.Second))
	if err := app.Err(); err != nil {
		return rootCause(err)
	}
	if err := app.Start(ctx); err != nil {
		return fmt.Errorf("start: %w", rootCause(err))
	}
	code := 0
	select {
	case <-ctx.Done():
	case signal := <-app.Wait():
		code = signal.ExitCode
	}
	logger.Info("stopping")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), app.StopTimeout())
	defer cancel()
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	go drain.hurryAt(stopping, again)
	if err := app.Stop(stopping); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	if code != 0 {
		return exitError(code)
	}
	return nil
}
