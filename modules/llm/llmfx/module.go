// Package llmfx wires the gateway to language models.
package llmfx

import (
	"fmt"
	"log/slog"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/pluginhost"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/llm"
	"github.com/goals-tracker/tracker/modules/llm/internal/gateway"
	"github.com/goals-tracker/tracker/modules/llm/internal/store"
)

// Module provides llm.Service. It needs llm.Config, *postgres.DB,
// *pluginhost.Host and *slog.Logger.
var Module = fx.Module("llm", fx.Provide(New))

// New makes the gateway over every enabled LLM plugin of the host. It starts none.
func New(cfg llm.Config, db *postgres.DB, host *pluginhost.Host, log *slog.Logger) (llm.Service, error) {
	var plugins []gateway.Named
	for _, name := range host.Names(pluginhost.LLM.Name) {
		p, err := host.LLM(name)
		if err != nil {
			return nil, fmt.Errorf("take LLM plugin %s: %w", name, err)
		}
		plugins = append(plugins, gateway.Named{Name: name, Plugin: p})
	}
	return gateway.New(cfg, store.NewUsage(db), log, plugins...)
}
