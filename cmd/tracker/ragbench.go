package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/rag/eval"
	"github.com/goals-tracker/tracker/modules/rag/ragfx"
)

type ragBenchCmd struct {
	Passages   int `default:"100000" help:"How many made-up passages to search among."`
	Courses    int `default:"20" help:"In how many courses they are."`
	Queries    int `default:"200" help:"How many questions of each kind to ask."`
	Dimensions int `default:"384" help:"How wide their made-up vectors are."`
}

// Run measures and prints; the reader judges, since figures depend on the
// machine.
func (c *ragBenchCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	if c.Passages < 10 || c.Courses < 2 || c.Queries < 1 || c.Dimensions < 1 || c.Dimensions > 4000 {
		return fmt.Errorf("--passages %d must be at least 10, --courses %d at least 2, --queries %d at least 1, --dimensions %d from 1 to 4000",
			c.Passages, c.Courses, c.Queries, c.Dimensions)
	}
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	// A search is not to wait for a made-up model on a busy machine.
	cfg.Rag.EmbedDeadline *= 100
	var members academy.Service
	return withThrowaway(ctx, cfg, func(db *database) error {
		models, quiet := &eval.Made{Dimensions: c.Dimensions}, slog.New(slog.DiscardHandler)
		service, _ := ragfx.NewHybrid(db.DB, members, models, cfg.Rag, quiet)
		all := cfg.Rag
		all.ExactUpTo = c.Passages * 2
		exact, _ := ragfx.NewHybrid(db.DB, members, models, all, quiet)
		report, err := eval.Bench(ctx, service, exact, eval.BenchOptions{
			Passages: c.Passages, Courses: c.Courses, Queries: c.Queries, Progress: os.Stderr,
			Fill:   func() error { return ragfx.FillAtOnce(ctx, db.DB, models, cfg.Rag, quiet) },
			Settle: func() error { return settle(ctx, db.DB) },
		})
		if err != nil {
			return err
		}
		return report.Print(os.Stdout)
	}, &members)
}
