package main

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/modules/core/config"
	"github.com/goals-tracker/tracker/sdk/llm/localmodel"
)

// OpenAIConfig is the section "openai": what the plugin llm-openai, and nothing
// else, gets to see.
type OpenAIConfig struct {
	// APIKey enables the plugin. Defaults to none.
	APIKey config.Secret `koanf:"api_key" env:"OPENAI_API_KEY"`
	// BaseURL names another server that speaks the protocol, and enables the
	// plugin too: "http://127.0.0.1:8080/v1". Defaults to OpenAI's.
	BaseURL string `koanf:"base_url" env:"OPENAI_BASE_URL"`
	// Model and EmbeddingModel name the models. Default to the plugin's.
	Model          string `koanf:"model" env:"OPENAI_MODEL"`
	EmbeddingModel string `koanf:"embedding_model" env:"OPENAI_EMBEDDING_MODEL"`
	// APIVersion is for Azure, whose resource is then the BaseURL:
	// "2024-10-21". Defaults to none.
	APIVersion string `koanf:"api_version" env:"OPENAI_API_VERSION"`
}

// AnthropicConfig is the section "anthropic": what the plugin llm-anthropic, and
// nothing else, gets to see.
type AnthropicConfig struct {
	// APIKey enables the plugin. Defaults to none.
	APIKey config.Secret `koanf:"api_key" env:"ANTHROPIC_API_KEY"`
	// BaseURL names another server that speaks the protocol, and enables the
	// plugin too. Defaults to Anthropic's.
	BaseURL string `koanf:"base_url" env:"ANTHROPIC_BASE_URL"`
	// Model names the models. Defaults to the plugin's.
	Model string `koanf:"model" env:"ANTHROPIC_MODEL"`
}

// OllamaConfig is the section "ollama": what the plugin llm-ollama, and nothing
// else, gets to see.
type OllamaConfig struct {
	// Host of the server, which enables the plugin: "127.0.0.1:11434". Defaults to
	// none, and to this one when only Model or EmbeddingModel is set.
	Host string `koanf:"host" env:"OLLAMA_HOST"`
	// Model and EmbeddingModel name the models, and enable the plugin too. Default
	// to all that are installed there.
	Model          string `koanf:"model" env:"OLLAMA_MODEL"`
	EmbeddingModel string `koanf:"embedding_model" env:"OLLAMA_EMBEDDING_MODEL"`
	// APIKey is for a server behind a proxy that wants one. Defaults to none.
	APIKey config.Secret `koanf:"api_key" env:"OLLAMA_API_KEY"`
	// NumCtx is how many tokens prompt and answer may have together; more takes
	// more memory there. Defaults to 8192.
	NumCtx int `koanf:"num_ctx" env:"OLLAMA_NUM_CTX"`
}

// provider is a plugin that gets to see a section of the settings.
type provider struct {
	// env is what its process gets, and no other.
	env map[string]string
	// needs says what is missing to enable it; "" when nothing is.
	needs string
}

// providers are the plugins for language models that have a section of their
// own, by their names.
func (c *Config) providers() map[string]provider {
	missing := func(why string, given ...string) string {
		if strings.Join(given, "") != "" {
			return ""
		}
		return why
	}
	o, a, l := c.OpenAI, c.Anthropic, c.Ollama
	return map[string]provider{
		"llm-openai": {
			env: map[string]string{
				"OPENAI_API_KEY": o.APIKey.Reveal(), "OPENAI_BASE_URL": o.BaseURL, "OPENAI_API_VERSION": o.APIVersion,
				"OPENAI_MODEL": o.Model, "OPENAI_EMBEDDING_MODEL": o.EmbeddingModel,
			},
			needs: missing("needs OPENAI_API_KEY or OPENAI_BASE_URL", o.APIKey.Reveal(), o.BaseURL),
		},
		"llm-anthropic": {
			env: map[string]string{
				"ANTHROPIC_API_KEY": a.APIKey.Reveal(), "ANTHROPIC_BASE_URL": a.BaseURL, "ANTHROPIC_MODEL": a.Model,
			},
			needs: missing("needs ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL", a.APIKey.Reveal(), a.BaseURL),
		},
		"llm-ollama": {
			env: map[string]string{
				"OLLAMA_HOST": l.Host, "OLLAMA_MODEL": l.Model, "OLLAMA_EMBEDDING_MODEL": l.EmbeddingModel,
				"OLLAMA_API_KEY": l.APIKey.Reveal(), "OLLAMA_NUM_CTX": strconv.Itoa(l.NumCtx),
			},
			needs: missing("needs OLLAMA_HOST or OLLAMA_MODEL", l.Host, l.Model, l.EmbeddingModel),
		},
		"llm-local": {
			env: map[string]string{localmodel.EnvDirs: strings.Join(c.modelDirs(), string(filepath.ListSeparator))},
		},
	}
}
