package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goals-tracker/tracker/sdk/judging"
	"github.com/goals-tracker/tracker/sdk/validatortest/conform"
)

type pluginCheckCmd struct {
	Path  string `arg:"" help:"The plugin's program." type:"existingfile"`
	Cases string `help:"A folder of cases (*.txtar) whose reports it must give." type:"existingdir"`
	Quick bool   `help:"Leave out what takes longer, as install does."`
}

// Run checks a plugin: exit code 0 when all holds, 1 when something does not.
func (c *pluginCheckCmd) Run(ctx context.Context) error {
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return err
	}
	_, failed := checkPlugin(ctx, os.Stdout, path, conform.Options{Quick: c.Quick, Cases: c.Cases})
	if failed > 0 {
		return exitError(1)
	}
	return nil
}

// checkPlugin checks a validator and prints a line for each check. The
// description is nil when the plugin gave none.
func checkPlugin(ctx context.Context, out io.Writer, path string, o conform.Options) (desc *judging.Description, failed int) {
	o.Described = func(d *judging.Description, protocol int) {
		desc = d
		_, _ = fmt.Fprintf(out, "  %s %s judges %s and speaks version %d of the protocol\n", d.Name, d.Version, languages(d), protocol)
	}
	checks := 0
	conform.Binary(path, o, func(c conform.Check) bool { //nolint:contextcheck // Record gives each check the context
		r := conform.Record(ctx, c)
		checks++
		mark := "✓"
		if !r.OK() {
			mark = "✗"
			failed++
		}
		_, _ = fmt.Fprintf(out, "%s %s\n", mark, c.Name)
		for _, p := range r.Problems {
			_, _ = fmt.Fprintf(out, "    %s\n", indented(p))
		}
		if !r.OK() && c.Fix != "" {
			_, _ = fmt.Fprintf(out, "    → %s\n", indented(c.Fix))
		}
		for _, note := range r.Notes {
			_, _ = fmt.Fprintf(out, "    note: %s\n", indented(note))
		}
		return r.OK()
	})
	switch {
	case failed == 0:
		_, _ = fmt.Fprintf(out, "all %d checks passed\n", checks)
	case desc == nil:
		_, _ = fmt.Fprintf(out, "%d of %d checks failed; the others need a plugin that starts\n", failed, checks)
	default:
		_, _ = fmt.Fprintf(out, "%d of %d checks failed\n", failed, checks)
	}
	return desc, failed
}

// indented keeps a text of several lines below its mark, and within reason.
func indented(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > 40 {
		lines = append(lines[:40], fmt.Sprintf("… and %d lines more", len(lines)-40))
	}
	return strings.Join(lines, "\n    ")
}
