package main

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
)

// openAIPlugin is the one plugin that gets to see OPENAI_API_KEY.
const openAIPlugin = "llm-openai"

// pluginConfig makes the allow-list of the settings.
func pluginConfig(cfg Config, logger *slog.Logger) (pluginhost.Config, error) {
	dir := cfg.Plugins.Dir
	if dir == "" {
		beside, err := pluginhost.BesideExecutable()
		if err != nil {
			return pluginhost.Config{}, err
		}
		dir = beside
	}
	found, err := pluginhost.Discover(dir)
	if err != nil {
		return pluginhost.Config{}, fmt.Errorf("look for plugins: %w", err)
	}
	var allowed []pluginhost.Plugin
	for _, p := range found {
		if len(cfg.Plugins.Pins) > 0 {
			pin, ok := cfg.Plugins.Pins[p.Name]
			if !ok {
				logger.Warn("a plugin is not pinned and does not run", "plugin", p.Name, "path", p.Path)
				continue
			}
			p.SHA256 = pin
		}
		if slices.Contains(cfg.Plugins.Disabled, p.Name) {
			p.Enabled = false
		}
		if p.Name == openAIPlugin {
			p.Enabled = p.Enabled && (cfg.OpenAI.APIKey != "" || cfg.OpenAI.BaseURL != "")
			p.Env = map[string]string{
				"OPENAI_API_KEY": cfg.OpenAI.APIKey.Reveal(), "OPENAI_BASE_URL": cfg.OpenAI.BaseURL,
				"OPENAI_MODEL": cfg.OpenAI.Model, "OPENAI_EMBEDDING_MODEL": cfg.OpenAI.EmbeddingModel,
			}
		}
		allowed = append(allowed, p)
	}
	for name := range cfg.Plugins.Pins {
		if !slices.ContainsFunc(found, func(p pluginhost.Plugin) bool { return p.Name == name }) {
			return pluginhost.Config{}, fmt.Errorf("plugins.pins names %q, which is not in %s", name, dir)
		}
	}
	return pluginhost.Config{Plugins: allowed, HostVersion: version, MemoryBytes: cfg.Plugins.MemoryBytes, Logger: logger}, nil
}
