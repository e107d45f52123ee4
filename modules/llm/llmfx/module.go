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
	llmrpc "github.com/goals-tracker/tracker/modules/llm/internal/rpc"
	"github.com/goals-tracker/tracker/modules/llm/internal/service"
	"github.com/goals-tracker/tracker/modules/llm/internal/store"
)

// Module provides llm.Service, llm.Account and its RPC face. It needs
// llm.Config, *postgres.DB, *pluginhost.Host and *slog.Logger.
var Module = fx.Module("llm",
	fx.Provide(New, NewAccount),
	fx.Provide(fx.Annotate(llmrpc.Service, fx.ResultTags(`group:"rpc.services"`))),
)

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
	stores := gateway.Stores{Ledger: store.NewUsage(db), Terms: store.NewTerms(db), Memory: store.NewAnswers(db)}
	return gateway.New(cfg, stores, log, plugins...)
}

// NewAccount makes what people see and set of what models cost.
func NewAccount(cfg llm.Config, db *postgres.DB, models llm.Service) llm.Account {
	return service.New(cfg, db, store.NewUsage(db), models.Models)
}
