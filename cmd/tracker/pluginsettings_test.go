package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/config"
)

func TestAPluginGetsItsOwnSettingsAndNoOther(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"validator-command", "validator-other"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "tracker.yaml")
	yaml := "plugins:\n  dir: " + dir + "\n  settings:\n    validator-command:\n      languages:\n        - name: ruby\n          env: {A.B: c}\n          run: [ruby, \"{entry}\"]\n"
	if err := os.WriteFile(file, []byte(yaml), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	if err := config.Load(&cfg, config.Source{File: file}); err != nil {
		t.Fatal(err)
	}
	allowed, err := allowList(cfg, pluginLock{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range allowed.Plugins {
		got[p.Name] = p.Env[pluginSettings]
	}
	want := `{"languages":[{"env":{"A.B":"c"},"name":"ruby","run":["ruby","{entry}"]}]}`
	if len(got) != 2 || got["validator-command"] != want || got["validator-other"] != "" {
		t.Errorf("%v", got)
	}
	cfg.Plugins.Settings["validator-misspelt"] = nil
	if _, err := allowList(cfg, pluginLock{}, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "validator-misspelt") {
		t.Errorf("settings for a plugin that is not there: %v", err)
	}
}

func TestAProvidersKeyEnablesItsPluginAndReachesNoOther(t *testing.T) {
	dir := t.TempDir()
	names := []string{"llm-anthropic", "llm-local", "llm-ollama", "llm-openai", "validator-python"}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for variable, owner := range map[string]string{
		"OPENAI_API_KEY": "llm-openai", "ANTHROPIC_API_KEY": "llm-anthropic", "OLLAMA_HOST": "llm-ollama", "OLLAMA_MODEL": "llm-ollama",
	} {
		cfg := DefaultConfig()
		if err := config.Load(&cfg, config.Source{Environ: []string{variable + "=the-value-itself", "TRACKER_PLUGINS_DIR=" + dir}}); err != nil {
			t.Fatal(err)
		}
		allowed, err := allowList(cfg, pluginLock{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range allowed.Plugins {
			if keyed := p.Name != "llm-local" && strings.HasPrefix(p.Name, "llm-"); keyed && p.Enabled != (p.Name == owner) {
				t.Errorf("with %s alone, %s runs: %t", variable, p.Name, p.Enabled)
			}
			for k, v := range p.Env {
				if v == "the-value-itself" && (p.Name != owner || k != variable) {
					t.Errorf("%s reaches %s as %s", variable, p.Name, k)
				}
			}
			if p.Name == owner && p.Env[variable] != "the-value-itself" {
				t.Errorf("%s does not reach %s", variable, owner)
			}
		}
	}
}
