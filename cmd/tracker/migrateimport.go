package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/reference"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
)

type migrateImportCmd struct {
	From   string `required:"" env:"TRACKER_IMPORT_FROM" help:"The other database: postgresql://user:password@host/name. It is only read."`
	Report string `help:"Also write the report to this file, as JSON." type:"path"`
	DryRun bool   `help:"Only say what would be taken, changed and left."`
}

// Run takes the reference system's database over.
func (c *migrateImportCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	im := reference.Importer{DryRun: c.DryRun}
	var erasure *eventsfx.Erasure
	return withModules(ctx, flags, func(db *database) error {
		im.DB, im.Erased = db.DB, erasure.Erased
		ctx, stop, err := following(ctx, erasure)
		if err != nil {
			return err
		}
		defer stop()
		report, err := im.Run(ctx, c.From)
		if errors.Is(err, reference.ErrNoSource) {
			return unreachable(err, "--from")
		}
		report.Write(os.Stdout)
		if c.Report != "" {
			err = errors.Join(err, writeReport(c.Report, report))
		}
		if err != nil {
			return fmt.Errorf("the import is not whole, run it again to go on: %w", err)
		}
		return nil
	}, &im.Log, &im.Goals, &im.Tasks, &im.Validation, &erasure)
}

// following knows who was erased, and keeps up with who is until stop: nothing of
// theirs is written any more. A process that can't know ends.
func following(ctx context.Context, erasure *eventsfx.Erasure) (_ context.Context, stop func(), err error) {
	if err := erasure.Load(ctx); err != nil {
		return nil, nil, fmt.Errorf("know who was erased: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	var running sync.WaitGroup
	running.Go(func() { cancel(erasure.Run(ctx, false)) })
	return ctx, func() { cancel(nil); running.Wait() }, nil
}

func writeReport(path string, report *reference.Report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	// It names people's rows.
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
