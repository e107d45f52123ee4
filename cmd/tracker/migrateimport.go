package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/reference"
)

type migrateImportCmd struct {
	From   string `required:"" env:"TRACKER_IMPORT_FROM" help:"The other database: postgresql://user:password@host/name. It is only read."`
	Report string `help:"Also write the report to this file, as JSON." type:"path"`
	DryRun bool   `help:"Only say what would be taken, changed and left."`
}

// Run takes the reference system's database over.
func (c *migrateImportCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	im := reference.Importer{DryRun: c.DryRun}
	return withModules(ctx, flags, func(db *database) error {
		im.DB = db.DB
		report, err := im.Run(ctx, c.From)
		report.Write(os.Stdout)
		if c.Report != "" {
			err = errors.Join(err, writeReport(c.Report, report))
		}
		if err != nil {
			return fmt.Errorf("the import is not whole, run it again to go on: %w", err)
		}
		return nil
	}, &im.Log, &im.Goals, &im.Tasks, &im.Validation)
}

func writeReport(path string, report *reference.Report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	// It names people's rows.
	return os.WriteFile(path, append(text, '\n'), 0o600)
}
