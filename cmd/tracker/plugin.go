package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/sdk/judging"
)

type pluginCmd struct {
	List    pluginListCmd    `cmd:"" help:"Start each plugin and show what it says of itself."`
	New     pluginNewCmd     `cmd:"" help:"Write a validator plugin that compiles and passes, to start from."`
	Check   pluginCheckCmd   `cmd:"" help:"Check a validator plugin's program, in any language, as the test kit does."`
	Install pluginInstallCmd `cmd:"" help:"Check a plugin, copy it to the plugins' folder and pin its sha256; a running server takes it up."`
	Enable  pluginEnableCmd  `cmd:"" help:"Let a plugin run, also one that is quarantined."`
	Disable pluginDisableCmd `cmd:"" help:"Let a plugin finish what it is doing, and run no more."`
	Sum     pluginSumCmd     `cmd:"" help:"Print a plugin's sha256, as plugins.pins takes it."`
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
	lock, err := readPluginLock(cfg.pluginLockPath())
	if err != nil {
		return err
	}
	allowed, err := allowList(cfg, lock, logger)
	if err != nil {
		return err
	}
	host, err := pluginhost.New(allowed, pluginhost.Validator, pluginhost.LLM)
	if err != nil {
		return err
	}
	defer func() { _ = host.Close() }()
	out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "NAME\tKIND\tVERSION\tPROTOCOL\tSTATE\tPINNED BY\tLANGUAGES\tPROBLEM")
	for _, p := range host.Catalog(ctx) {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\n", p.Name, p.Kind, p.Description.Version, p.Protocol, p.State,
			pinnedBy(p.Name, cfg, lock), languages(p.Description.Detail), p.Problem)
	}
	for _, p := range allowed.Plugins {
		if !p.Enabled {
			_, _ = fmt.Fprintf(out, "%s\t\t\t\tdisabled\t%s\t\t%s\n", p.Name, pinnedBy(p.Name, cfg, lock), whyDisabled(p.Name, cfg, lock))
		}
	}
	return out.Flush()
}

// pinnedBy says which file decides about the binary; "nothing" takes it as it is.
func pinnedBy(name string, cfg Config, lock pluginLock) string {
	switch {
	case len(cfg.Plugins.Pins) > 0:
		return "settings"
	case lock.Plugins[name].SHA256 != "":
		return "plugins.lock"
	}
	return "nothing"
}

// languages are those that a validator judges.
func languages(detail any) string {
	d, ok := detail.(*judging.Description)
	if !ok {
		return ""
	}
	names := make([]string, len(d.Languages))
	for i, l := range d.Languages {
		names[i] = l.Name
	}
	return strings.Join(names, ", ")
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
