package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
)

type pluginCmd struct {
	List pluginListCmd `cmd:"" help:"Start each plugin and show what it says of itself."`
	Sum  pluginSumCmd  `cmd:"" help:"Print a plugin's sha256, as plugins.pins takes it."`
}

type pluginListCmd struct{}

// Run lists plugins.
func (pluginListCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	cfg.Telemetry.LogLevel = "error"
	logger, err := cfg.logger(os.Stderr)
	if err != nil {
		return err
	}
	allowed, err := pluginConfig(cfg, logger)
	if err != nil {
		return err
	}
	host, err := pluginhost.New(allowed, pluginhost.Validator, pluginhost.LLM)
	if err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "NAME\tKIND\tVERSION\tPROTOCOL\tSTATE\tPROBLEM")
	for _, p := range host.Catalog(ctx) {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%d\t%s\t%s\n", p.Name, p.Kind, p.Description.Version, p.Protocol, p.State, p.Problem)
	}
	for _, p := range allowed.Plugins {
		if !p.Enabled {
			why := "disabled by plugins.disabled"
			if p.Name == openAIPlugin {
				why = "needs OPENAI_API_KEY or OPENAI_BASE_URL"
			}
			_, _ = fmt.Fprintf(out, "%s\t%s\t\t\tdisabled\t%s\n", p.Name, strings.SplitN(p.Name, "-", 2)[0], why)
		}
	}
	return out.Flush()
}

type pluginSumCmd struct {
	Path string `arg:"" help:"The plugin's program." type:"existingfile"`
}

// Run prints a sum.
func (c *pluginSumCmd) Run() error {
	sum, err := pluginhost.Sum(c.Path)
	if err != nil {
		return err
	}
	fmt.Println(sum)
	return nil
}
