// Package tasksfx wires the tasks module.
package tasksfx

import (
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/react"
	"github.com/goals-tracker/tracker/modules/tasks/internal/rpc"
	"github.com/goals-tracker/tracker/modules/tasks/internal/service"
)

// Module provides tasks.Service and its Connect service, and reacts to events
// of goals.
var Module = fx.Module("tasks",
	fx.Provide(service.New, fx.Private),
	fx.Provide(publish),
	fx.Provide(fx.Annotate(newRPC, fx.ResultTags(`group:"rpc.services"`))),
	fx.Invoke(react.Register),
	fx.Invoke(registerFold),
)

func publish(s *service.Service) tasks.Service { return s }

func newRPC(db *postgres.DB, s tasks.Service) corerpc.Service { return rpc.New(db, s).Service() }

func registerFold(log *events.Log) { log.Fold(service.Fold{}) }
