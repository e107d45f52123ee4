// Package taskstest gives tests of other modules the real tasks service, on
// the test's database, and tasks to work with.
package taskstest

import (
	"context"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/tasks"
	"github.com/goals-tracker/tracker/modules/tasks/internal/react"
	"github.com/goals-tracker/tracker/modules/tasks/internal/rpc"
	"github.com/goals-tracker/tracker/modules/tasks/internal/service"
)

// New is the tasks service as tasksfx wires it, with its reactions and fold.
// Call it once per log, before the log is used.
func New(db *postgres.DB, log *events.Log, g goals.Service) tasks.Service {
	s := service.New(db, log, g)
	react.Register(log, s)
	log.Fold(service.Fold{})
	return s
}

// RPC is the module's Connect service.
func RPC(db *postgres.DB, s tasks.Service) corerpc.Service { return rpc.New(db, s).Service() }

// Create adds tasks to a goal of the actor.
func Create(t testing.TB, db *postgres.DB, s tasks.Service, actor auth.Actor, goalID string, news ...tasks.New) []tasks.Task {
	t.Helper()
	var made []tasks.Task
	err := db.InTx(t.Context(), postgres.As(actor), func(ctx context.Context, tx *postgres.Tx) (err error) {
		made, err = s.CreateTx(ctx, tx, goalID, news...)
		return err
	})
	if err != nil {
		t.Fatalf("create tasks of goal %s: %v", goalID, err)
	}
	return made
}

// Code is a code task with a visible and a hidden test, last in its goal.
func Code(title string) tasks.New {
	return tasks.New{Last: true, Details: tasks.Details{
		Title: title, Type: tasks.TypeCode, Language: "python",
		Validation: &tasks.Validation{
			Tests: []tasks.File{
				tasks.NewFile("test_visible.py", "def test_a(): pass\n", false),
				tasks.NewFile("test_hidden.py", "def test_secret(): pass\n", true),
			},
			Starter: []tasks.File{tasks.NewFile("main.py", "# start here\n", false)},
		},
	}}
}

// Reading is a task without tests, last in its goal.
func Reading(title string) tasks.New {
	return tasks.New{Last: true, Details: tasks.Details{Title: title, Type: tasks.TypeResearch}}
}
