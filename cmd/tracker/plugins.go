package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
)

// pluginsDir is the folder of plugin programs.
func pluginsDir(cfg Config) (string, error) {
	if cfg.Plugins.Dir != "" {
		return cfg.Plugins.Dir, cfg.checkPluginsDir()
	}
	return pluginhost.BesideExecutable()
}

// pluginConfig makes the allow-list of the settings and of plugins.lock. Where
// they disagree, the settings win.
func pluginConfig(cfg Config, logger *slog.Logger) (pluginhost.Config, error) {
	lock, err := readPluginLock(cfg.pluginLockPath())
	if err != nil {
		return pluginhost.Config{}, err
	}
	return allowList(cfg, lock, logger)
}

func allowList(cfg Config, lock pluginLock, logger *slog.Logger) (pluginhost.Config, error) {
	dir, err := pluginsDir(cfg)
	if err != nil {
		return pluginhost.Config{}, err
	}
	found, err := pluginhost.Discover(dir)
	if err != nil {
		return pluginhost.Config{}, fmt.Errorf("look for plugins: %w", err)
	}
	var allowed []pluginhost.Plugin
	for _, p := range found {
		if err := pinned(&p, cfg, lock); err != nil {
			logger.Warn("a plugin is not pinned and does not run", "plugin", p.Name, "path", p.Path)
			continue
		}
		p.Enabled = whyDisabled(p.Name, cfg, lock) == ""
		p.Env = cfg.providers()[p.Name].env
		if err := handOver(&p, cfg.Plugins.Settings[p.Name]); err != nil {
			return pluginhost.Config{}, err
		}
		allowed = append(allowed, p)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(found, func(p pluginhost.Plugin) bool { return p.Name == name })
	}
	for name := range cfg.Plugins.Pins {
		if !has(name) {
			return pluginhost.Config{}, fmt.Errorf("plugins.pins names %q, which is not in %s", name, dir)
		}
	}
	for name := range cfg.Plugins.Settings {
		if !has(name) {
			return pluginhost.Config{}, fmt.Errorf("plugins.settings names %q, which is not in %s", name, dir)
		}
	}
	for name, entry := range lock.Plugins {
		if !has(name) && !entry.Disabled {
			logger.Warn("an installed plugin is gone", "plugin", name, "folder", dir)
		}
	}
	return pluginhost.Config{Plugins: allowed, HostVersion: version, MemoryBytes: cfg.Plugins.MemoryBytes, Logger: logger}, nil
}

// pluginSettings is the variable in which a plugin finds its settings, as JSON.
const pluginSettings = "TRACKER_SETTINGS"

// handOver gives a plugin its settings, when there are any.
func handOver(p *pluginhost.Plugin, settings map[string]any) error {
	if len(settings) == 0 {
		return nil
	}
	b, err := json.Marshal(settings)
	if err != nil {
		return fmt.Errorf("plugins.settings.%s: %w", p.Name, err)
	}
	if p.Env == nil {
		p.Env = map[string]string{}
	}
	p.Env[pluginSettings] = string(b)
	return nil
}

var errNotPinned = errors.New("not pinned")

// pinned sets the sum that a plugin must have: that of the settings, when they
// pin any plugin; else that of plugins.lock; else what it has.
func pinned(p *pluginhost.Plugin, cfg Config, lock pluginLock) error {
	if len(cfg.Plugins.Pins) > 0 {
		sum, ok := cfg.Plugins.Pins[p.Name]
		if !ok {
			return errNotPinned
		}
		p.SHA256 = sum
	} else if sum := lock.Plugins[p.Name].SHA256; sum != "" {
		p.SHA256 = sum
	}
	return nil
}

// whyDisabled says why a plugin does not run; "" when it does.
func whyDisabled(name string, cfg Config, lock pluginLock) string {
	switch {
	case slices.Contains(cfg.Plugins.Disabled, name):
		return "disabled by plugins.disabled in the settings"
	case lock.Plugins[name].Disabled:
		return "disabled by `tracker plugin disable`"
	}
	return cfg.providers()[name].needs
}
