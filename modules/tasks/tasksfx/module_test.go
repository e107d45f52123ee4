package tasksfx_test

import (
	"log/slog"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/goalsfx"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/tasksfx"
)

func TestGoalsAndTasksAreWired(t *testing.T) {
	var found struct {
		fx.In
		Goals    goals.Service
		Tasks    tasks.Service
		Services []corerpc.Service `group:"rpc.services"`
		Log      *events.Log
	}
	db := postgrestest.DB(t)
	app := fxtest.New(t,
		fx.Provide(func() *postgres.DB { return db }),
		fx.Provide(func(db *postgres.DB) *events.Log {
			return events.New(db, events.Config{}, slog.New(slog.DiscardHandler))
		}),
		goalsfx.Module, tasksfx.Module,
		fx.Populate(&found),
	)
	app.RequireStart()
	defer app.RequireStop()
	if found.Goals == nil || found.Tasks == nil || len(found.Services) != 2 || len(found.Log.Folds()) != 3 {
		t.Errorf("got %d services and %d folds", len(found.Services), len(found.Log.Folds()))
	}
}
