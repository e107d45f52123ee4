package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/goals-tracker/tracker/modules/core/postgres/migrate"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Apply what is missing."`
	Status migrateStatusCmd `cmd:"" help:"List migrations; changes nothing."`
	Down   migrateDownCmd   `cmd:"" help:"Undo the newest migration. Data of its tables is lost."`
	Import migrateImportCmd `cmd:"" help:"Take over the database of the Python system that this one follows."`
}

type migrateUpCmd struct{}

// Run applies what is missing.
func (migrateUpCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	return withServer(ctx, flags, func(url string) error {
		if err := migrate.Up(ctx, url); err != nil {
			return err
		}
		fmt.Println("the database is up to date")
		return nil
	})
}

type migrateStatusCmd struct{}

// Run lists migrations.
func (migrateStatusCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	return withServer(ctx, flags, func(url string) error {
		all, err := migrate.Status(ctx, url)
		if err != nil {
			return err
		}
		out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		for _, m := range all {
			applied := "pending"
			if !m.Pending() {
				applied = m.AppliedAt.Format(time.RFC3339)
			}
			_, _ = fmt.Fprintf(out, "%s\t%d\t%s\t%s\n", m.Source, m.Version, m.Name, applied)
		}
		return out.Flush()
	})
}

type migrateDownCmd struct {
	Yes bool `help:"Don't ask; data that is lost does not come back."`
}

// Run undoes the newest migration, once somebody has said that it is the one.
func (c *migrateDownCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	return withServer(ctx, flags, func(url string) error {
		all, err := migrate.Status(ctx, url)
		if err != nil {
			return err
		}
		newest := -1
		for i, m := range all {
			if m.Source == "tracker" && !m.Pending() {
				newest = i
			}
		}
		if newest < 0 {
			return migrate.ErrNothingToUndo
		}
		number := strconv.FormatInt(all[newest].Version, 10)
		ask := fmt.Sprintf("%s will be undone, and the data of its tables is lost. Type its number, %s, to go on: ", all[newest].Name, number)
		if !c.Yes && !confirmed(ask, number) {
			return errors.New("nothing was undone: the number was not repeated; --yes does without")
		}
		if err := migrate.Down(ctx, url); err != nil {
			return err
		}
		fmt.Printf("%s was undone; the next start of a server applies it again, unless database.migrate is false\n", all[newest].Name)
		return nil
	})
}

func withServer(ctx context.Context, flags *ConfigFlags, fn func(url string) error) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	logger, err := cfg.logger(os.Stderr)
	if err != nil {
		return err
	}
	d, err := openServer(ctx, cfg, logger)
	if err != nil {
		return err
	}
	defer d.Close(ctx)
	if d.direct == "" {
		return errNoWayPast
	}
	return fn(d.direct)
}
