// Package ragfx wires the course material.
package ragfx

import (
	"time"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/rag"
	ragrpc "github.com/goals-tracker/tracker/modules/rag/internal/rpc"
	"github.com/goals-tracker/tracker/modules/rag/internal/service"
)

// Module needs a rag.Config and provides rag.Service and its RPC face.
var Module = fx.Module("rag",
	fx.Provide(func(db *postgres.DB, members academy.Service, cfg rag.Config) rag.Service {
		return NewService(db, members, cfg)
	}),
	fx.Provide(fx.Annotate(func(db *postgres.DB, s rag.Service) rpc.Service {
		return ragrpc.New(db, s).Service()
	}, fx.ResultTags(`group:"rpc.services"`))),
)

// NewService makes the service without the graph, for commands that only
// ingest or evaluate.
func NewService(db *postgres.DB, members academy.Service, cfg rag.Config) rag.Service {
	return service.New(db, members, cfg, time.Now)
}
