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
	fx.Provide(func(lc fx.Lifecycle, cfg academy.Config, logger *slog.Logger) (academy.Service, error) {
		service, err := client.NewService(cfg, logger)
		if err != nil {
			return nil, err
		}
		lc.Append(fx.StartStopHook(service.Check, service.Close))
		return service, nil
	}),
	fx.Provide(fx.Annotate(academyrpc.Service, fx.ResultTags(`group:"rpc.services"`))),
)
