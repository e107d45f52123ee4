package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/sdk/validatortest/conform"
)

type pluginInstallCmd struct {
	Path string `arg:"" help:"The plugin's program." type:"existingfile"`
	Kind string `default:"auto" enum:"auto,validator,llm" help:"validator or llm. auto goes by the program's name."`
}

// Run installs a plugin. What was checked is what is installed: the copy.
func (c *pluginInstallCmd) Run(ctx context.Context, flags *ConfigFlags) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	dir, err := pluginsDir(cfg)
	if err != nil {
		return err
	}
	copied, err := copyPlugin(c.Path, dir)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(copied) }()
	sum, err := pluginhost.Sum(copied)
	if err != nil {
		return err
	}
	name, version, does, err := c.check(ctx, cfg, copied, sum)
	if err != nil {
		return err
	}
	if pin, ok := cfg.Plugins.Pins[name]; len(cfg.Plugins.Pins) > 0 && (!ok || !strings.EqualFold(pin, sum)) {
		return fmt.Errorf("the settings pin plugins, which wins over what is installed: set plugins.pins.%s to %s first", name, sum)
	}
	if err := os.Rename(copied, filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("put plugin %s in its place: %w", name, err)
	}
	err = changePluginLock(cfg.pluginLockPath(), func(lock *pluginLock) error {
		lock.Plugins[name] = lockedPlugin{SHA256: sum, Version: version, Changed: now()}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Printf("installed %s %s (%s) in %s\npinned to sha256 %s in %s\n", name, version, does, dir, sum, cfg.pluginLockPath())
	sayNoticed(cfg, name)
	return nil
}

// check is the quick part of `plugin check` for validators; a plugin for models
// must start and describe itself.
func (c *pluginInstallCmd) check(ctx context.Context, cfg Config, path, sum string) (name, version, does string, err error) {
	base := filepath.Base(c.Path)
	if c.Kind == "validator" || c.Kind == "auto" && !strings.HasPrefix(base, "llm-") {
		desc, failed := checkPlugin(ctx, os.Stdout, path, conform.Options{Quick: true})
		if failed > 0 || desc == nil {
			return "", "", "", fmt.Errorf("%s was not installed", base)
		}
		return desc.Name, desc.Version, "judges " + languages(desc), nil
	}
	logger, err := cfg.logger(io.Discard)
	if err != nil {
		return "", "", "", err
	}
	host, err := pluginhost.New(pluginhost.Config{Logger: logger, Plugins: []pluginhost.Plugin{{Name: base, Kind: pluginhost.LLM.Name, Path: path, SHA256: sum, Enabled: true}}})
	if err != nil {
		return "", "", "", err
	}
	defer func() { _ = host.Close() }()
	info := host.Catalog(ctx)[0]
	if info.Problem != "" {
		return "", "", "", fmt.Errorf("%s was not installed: %s", base, info.Problem)
	}
	return info.Name, info.Description.Version, "for language models; a running server must be restarted to route to it", nil
}

// copyPlugin copies a program into the plugins' folder, under a name that no
// server looks at.
func copyPlugin(path, dir string) (copied string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the plugins' folder: %w", err)
	}
	from, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = from.Close() }()
	to, err := os.CreateTemp(dir, ".install-")
	if errors.Is(err, os.ErrPermission) {
		return "", fmt.Errorf("%w; run this as the user who owns the plugins' folder, or set plugins.dir to another", err)
	}
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, from)
	if err == nil {
		err = to.Chmod(0o755)
	}
	if err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err != nil {
		_ = os.Remove(to.Name())
		return "", fmt.Errorf("copy %s: %w", path, err)
	}
	return to.Name(), nil
}

type pluginEnableCmd struct {
	Name string `arg:"" help:"The plugin's name."`
}

// Run enables a plugin.
func (c *pluginEnableCmd) Run(flags *ConfigFlags) error { return decide(flags, c.Name, false) }

type pluginDisableCmd struct {
	Name string `arg:"" help:"The plugin's name."`
}

// Run disables a plugin.
func (c *pluginDisableCmd) Run(flags *ConfigFlags) error { return decide(flags, c.Name, true) }

func decide(flags *ConfigFlags, name string, disabled bool) error {
	cfg, err := flags.Load()
	if err != nil {
		return err
	}
	dir, err := pluginsDir(cfg)
	if err != nil {
		return err
	}
	found, err := pluginhost.Discover(dir)
	if err != nil {
		return err
	}
	names := make([]string, len(found))
	for i, p := range found {
		names[i] = p.Name
	}
	if !slices.Contains(names, name) {
		return fmt.Errorf("there is no plugin %q in %s; there are: %s", name, dir, cmp.Or(strings.Join(names, ", "), "none"))
	}
	err = changePluginLock(cfg.pluginLockPath(), func(lock *pluginLock) error {
		entry := lock.Plugins[name]
		entry.Disabled, entry.Changed = disabled, now()
		lock.Plugins[name] = entry
		return nil
	})
	if err != nil {
		return err
	}
	if disabled {
		fmt.Printf("%s is disabled: runs under way finish, and it takes no new ones\n", name)
		return nil
	}
	fmt.Printf("%s is enabled\n", name)
	sayNoticed(cfg, name)
	return nil
}

// sayNoticed says when a server takes the change up, or what keeps it from it.
func sayNoticed(cfg Config, name string) {
	lock, err := readPluginLock(cfg.pluginLockPath())
	if err != nil {
		return
	}
	if why := whyDisabled(name, cfg, lock); why != "" {
		fmt.Printf("it still does not run: it is %s\n", why)
		return
	}
	fmt.Printf("a server on this data folder takes it up within %s\n", 2*pluginPoll)
}
