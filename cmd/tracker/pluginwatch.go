package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
)

// pluginPoll is how often a server looks at plugins.lock.
const pluginPoll = 2 * time.Second

// pluginWatch brings what `tracker plugin` decides to a running server.
type pluginWatch struct {
	cfg     Config
	host    *pluginhost.Host
	logger  *slog.Logger
	seen    []byte // plugins.lock as it holds
	lock    pluginLock
	applied []pluginhost.Plugin
}

func newPlugins(lc fx.Lifecycle, cfg Config, logger *slog.Logger) (*pluginhost.Host, *pluginWatch, error) {
	w := &pluginWatch{cfg: cfg, logger: logger}
	raw, err := w.read()
	if err != nil {
		return nil, nil, err
	}
	if w.lock, err = parsePluginLock(cfg.pluginLockPath(), raw); err != nil {
		return nil, nil, err
	}
	allowed, err := allowList(cfg, w.lock, logger)
	if err != nil {
		return nil, nil, err
	}
	w.seen, w.applied = raw, allowed.Plugins
	if w.host, err = pluginhost.New(allowed, pluginhost.Validator, pluginhost.LLM); err != nil {
		return nil, nil, err
	}
	lc.Append(fx.StopHook(w.host.Close))
	return w.host, w, nil
}

func (w *pluginWatch) read() ([]byte, error) {
	raw, err := os.ReadFile(w.cfg.pluginLockPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return raw, err
}

// Run follows plugins.lock, and looks at the whole folder on SIGHUP, until ctx ends.
func (w *pluginWatch) Run(ctx context.Context) {
	if len(w.applied) == 0 {
		w.logger.Warn("there are no plugins, so nothing can be judged: `tracker plugin list` shows where they are looked for")
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	ticker := time.NewTicker(pluginPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			w.look(ctx, true)
		case <-ticker.C:
			w.look(ctx, false)
		}
	}
}

// look applies what changed in plugins.lock; with all, also programs that were
// replaced or added without it. What can't be applied leaves all as it was.
func (w *pluginWatch) look(ctx context.Context, all bool) {
	raw, err := w.read()
	if err != nil {
		w.logger.Error("plugins.lock can't be read", "error", err)
		return
	}
	if bytes.Equal(raw, w.seen) && !all {
		return
	}
	w.seen = raw
	lock, err := parsePluginLock(w.cfg.pluginLockPath(), raw)
	if err != nil {
		w.logger.Error("plugins.lock is not followed", "error", err)
		return
	}
	next, err := allowList(w.cfg, lock, w.logger)
	if err != nil {
		w.logger.Error("plugins are left as they are", "error", err)
		return
	}
	changed := func(name string) bool { return lock.Plugins[name] != w.lock.Plugins[name] }
	plugins := next.Plugins
	if !all {
		plugins = w.onlyChanged(plugins, changed)
	}
	if err := w.host.Apply(ctx, plugins); err != nil {
		w.logger.Error("a change of plugins was not applied", "error", err)
	}
	for _, p := range plugins {
		if !changed(p.Name) || !p.Enabled {
			continue
		}
		if slices.ContainsFunc(w.applied, func(o pluginhost.Plugin) bool { return o.Name == p.Name && o.Enabled && o.SHA256 == p.SHA256 }) {
			// The same binary was enabled once more: to end its quarantine.
			_ = w.host.Restart(p.Name)
		}
		w.logger.Info("a plugin was installed or enabled", "plugin", p.Name, "sha256", p.SHA256)
	}
	w.lock, w.applied = lock, plugins
}

// onlyChanged keeps plugins that plugins.lock says nothing new about as they run.
func (w *pluginWatch) onlyChanged(next []pluginhost.Plugin, changed func(string) bool) []pluginhost.Plugin {
	out := slices.DeleteFunc(slices.Clone(w.applied), func(p pluginhost.Plugin) bool { return changed(p.Name) })
	for _, p := range next {
		if changed(p.Name) {
			out = append(out, p)
		}
	}
	return out
}
