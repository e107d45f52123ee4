package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/rag/eval"
	"github.com/goals-tracker/tracker/modules/rag/ragfx"
)

type ragEvalCmd struct {
	Model  string   `help:"The embedding model to measure, as plugin/model. Defaults to the configured one."`
	Weight float64  `help:"What likeness in meaning counts against words, instead of the model's own weight; for tuning."`
	JSON   bool     `name:"json" help:"Print JSON, a line a set."`
	Dirs   []string `arg:"" name:"dir" help:"The folders of the sets." type:"existingdir"`
}

// Run measures each set, by words, by meaning and by both. Vectors are kept in
// the data folder for the next time.
func (c *ragEvalCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	if c.Model != "" {
		cfg.LLM.Routes = withRoute(cfg.LLM.Routes, c.Model)
	}
	var models llm.Service
	var members academy.Service
	for _, dir := range c.Dirs {
		set, err := eval.Load(os.DirFS(dir))
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
		err = withThrowaway(ctx, cfg, func(db *database) error {
			remembered := eval.Remember(models, cfg.dataPath("eval"))
			service, filler := ragfx.NewHybrid(db.DB, members, remembered, cfg.Rag, slog.New(slog.DiscardHandler))
			report, err := eval.Measure(ctx, service, filler, set, eval.Options{
				Name: filepath.Base(filepath.Clean(dir)), Weight: c.Weight, Progress: os.Stderr,
				Weigh:  func(space int, weight float64) error { return ragfx.Weigh(ctx, db.DB, space, weight) },
				Settle: func() error { return settle(ctx, db.DB) },
			})
			if err != nil {
				return err
			}
			report.EmbedP50, report.EmbedP95 = remembered.Questions()
			if c.JSON {
				return json.NewEncoder(os.Stdout).Encode(report) //nolint:musttag // by the names of its fields
			}
			return report.Print(os.Stdout)
		}, &models, &members)
		if err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// settle tells the planner what there is, as autovacuum does on a server.
func settle(ctx context.Context, db *postgres.DB) error {
	if _, err := db.Pool().Exec(ctx, "VACUUM ANALYZE"); err != nil {
		return fmt.Errorf("settle the database: %w", err)
	}
	return nil
}

func withRoute(routes map[string][]string, model string) map[string][]string {
	all := map[string][]string{}
	for purpose, to := range routes {
		all[purpose] = to
	}
	all[string(llm.Embed)] = []string{strings.TrimSpace(model)}
	return all
}
