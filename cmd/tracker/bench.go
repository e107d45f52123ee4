package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/bench"
	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/sandbox"
)

type benchCmd struct {
	Seconds     int    `default:"3" help:"How long each side works in a round."`
	Rounds      int    `default:"5" help:"How often the sides take turns."`
	Clients     int    `default:"4" help:"How many requests are under way at a time."`
	DatabaseURL string `name:"database-url" help:"A PostgreSQL server to measure on, in a database that is made there and dropped. Defaults to a throw-away server with durable settings in TMPDIR."`
	Profile     string `type:"path" help:"A folder for CPU profiles of the server; they cost a little."`
	JSON        bool   `name:"json" help:"Print the report as JSON."`

	Realtime bool     `help:"Measure pushes instead: commit to WebSocket on two replicas, and what idle connections cost."`
	Idle     int      `default:"10000" help:"Of pushes, how many idle connections."`
	Verdicts bool     `help:"Measure verdicts against pytest, node --test and the like instead."`
	Only     []string `help:"Of the verdicts, only these: true, pytest, node --test, …"`
}

// Run measures and prints; the reader judges, since figures depend on the
// machine.
func (c *benchCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	if bench.IsClient() {
		return bench.Client(ctx, os.Stdin, os.Stdout)
	}
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	if c.Verdicts {
		return c.verdicts(ctx, cfg)
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if c.Realtime {
		return c.pushes(ctx, cfg, program)
	}
	if c.Seconds < 1 || c.Rounds < 1 || c.Clients < 1 {
		return fmt.Errorf("--seconds %d, --rounds %d and --clients %d must be at least 1", c.Seconds, c.Rounds, c.Clients)
	}
	report, err := bench.Run(ctx, bench.Options{
		Round: time.Duration(c.Seconds) * time.Second, Rounds: c.Rounds, Clients: c.Clients,
		DatabaseURL: c.DatabaseURL, Binaries: cfg.Database.Binaries, Profile: c.Profile,
		Client: []string{program, "bench"}, Progress: os.Stderr,
	})
	if err != nil {
		return err
	}
	return c.print(report)
}

// pushes measures how long events take to screens, and what screens cost.
func (c *benchCmd) pushes(ctx context.Context, cfg Config, program string) error {
	report, err := bench.Realtime(ctx, bench.RealtimeOptions{
		Idle: c.Idle, DatabaseURL: c.DatabaseURL, Binaries: cfg.Database.Binaries, Client: []string{program, "bench"}, Progress: os.Stderr,
	})
	if err != nil {
		return err
	}
	return c.print(report)
}

// verdicts measures how long learners wait for theirs.
func (c *benchCmd) verdicts(ctx context.Context, cfg Config) error {
	allowed, err := pluginConfig(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	host, err := pluginhost.New(allowed, pluginhost.Validator, pluginhost.LLM)
	if err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	runner, err := sandbox.New(sandbox.Config{}) //nolint:contextcheck // it bounds itself
	if err != nil {
		return err
	}
	report, err := bench.Verdicts(ctx, bench.VerdictOptions{Host: host, Runner: runner, Rounds: 3 * c.Rounds, Only: c.Only, Progress: os.Stderr})
	if err != nil {
		return err
	}
	return c.print(report)
}

func (c *benchCmd) print(report interface{ Print(out io.Writer) error }) error {
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(report)
	}
	return report.Print(os.Stdout)
}
