// Package academyfx wires the academy's client.
package academyfx

import (
	"log/slog"
	"net/http"

	"connectrpc.com/connect"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/academy"
	"github.com/goals-tracker/tracker/modules/academy/internal/client"
	academyrpc "github.com/goals-tracker/tracker/modules/academy/internal/rpc"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/academy/v1/academyv1connect"
)

// Module needs an academy.Config and provides academy.Service and its RPC face.
var Module = fx.Module("academy",
	fx.Provide(func(cfg academy.Config, logger *slog.Logger) (academy.Service, error) {
		return client.NewService(cfg, logger)
	}),
	fx.Provide(fx.Annotate(func(service academy.Service) rpc.Service {
		return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
			return academyv1connect.NewAcademyServiceHandler(academyrpc.New(service), opts...)
		}}
	}, fx.ResultTags(`group:"rpc.services"`))),
)
