// Package academyfx wires the academy's client.
package academyfx

import (
	"log/slog"

	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/client"
	academyrpc "github.com/goals-tracker/tracker/modules/academy/internal/rpc"
)

// Module needs an academy.Config and provides academy.Service and its RPC face.
var Module = fx.Module("academy",
	fx.Provide(func(cfg academy.Config, logger *slog.Logger) (academy.Service, error) {
		return client.NewService(cfg, logger)
	}),
	fx.Provide(fx.Annotate(academyrpc.Service, fx.ResultTags(`group:"rpc.services"`))),
)
