package llmtest

import (
	"log/slog"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/llmfx"
	sdktest "github.com/goals-tracker/tracker/sdk/llmtest"
	"github.com/goals-tracker/tracker/sdk/llmtest/openaiserver"
)

// Stack is the real gateway over the built llm-openai plugin, which asks a
// server that speaks OpenAI's protocol over HTTP.
type Stack struct {
	llm.Service
	// Server is nil of a Live one.
	Server *openaiserver.Server
	Host   *pluginhost.Host
}

// Real builds the plugin and starts everything until the test ends. cfg may be
// changed by edit, which may be nil; it starts from llm.DefaultConfig.
func Real(t testing.TB, db *postgres.DB, server openaiserver.Config, edit func(*llm.Config)) *Stack {
	t.Helper()
	s, err := openaiserver.Start(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	stack := open(t, db, map[string]string{
		"OPENAI_BASE_URL": s.URL(), "OPENAI_API_KEY": server.Key,
		"OPENAI_MODEL": "gpt-4o-mini,gpt-4o", "OPENAI_EMBEDDING_MODEL": "local-embed",
	}, edit)
	stack.Server = s
	return stack
}

// Live is Real over a provider that is there, for evaluations. Nothing that was
// said before is said again.
func Live(t testing.TB, db *postgres.DB, baseURL, key, model string) *Stack {
	t.Helper()
	env := map[string]string{"OPENAI_BASE_URL": baseURL, "OPENAI_API_KEY": key, "OPENAI_MODEL": model}
	return open(t, db, env, func(c *llm.Config) { c.AnswersKept, c.LearnerDaily, c.TeamDaily = 0, -1, -1 })
}

func open(t testing.TB, db *postgres.DB, env map[string]string, edit func(*llm.Config)) *Stack {
	t.Helper()
	binary := sdktest.Build(t, "github.com/goals-tracker/tracker/plugins/llm-openai")
	sum, err := pluginhost.Sum(binary)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	host, err := pluginhost.New(pluginhost.Config{Logger: log, Plugins: []pluginhost.Plugin{{
		Name: "llm-openai", Path: binary, SHA256: sum, Enabled: true, Env: env,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	cfg := llm.DefaultConfig()
	if edit != nil {
		edit(&cfg)
	}
	service, err := llmfx.New(cfg, db, host, log)
	if err != nil {
		t.Fatal(err)
	}
	return &Stack{Service: service, Host: host}
}
