// Package goalstest gives tests of other modules the real goals service, on
// the test's database, and goals to work with.
package goalstest

import (
	"context"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	corerpc "github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/internal/rpc"
	"github.com/goals-tracker/tracker/modules/goals/internal/service"
)

// New is the goals service as goalsfx wires it, with its folds. Call it once
// per log, before the log is used.
func New(db *postgres.DB, log *events.Log) goals.Service { return Under(db, log, nil) }

// Under is New where a policy says who may put a goal on a course; nil for none.
func Under(db *postgres.DB, log *events.Log, policy goals.CoursePolicy) goals.Service {
	log.Fold(service.Fold{})
	log.Fold(service.ProgressFold{})
	return service.New(db, log, policy)
}

// RPC is the module's Connect service.
func RPC(db *postgres.DB, s goals.Service) corerpc.Service { return rpc.New(db, s).Service() }

// Learner is a student in courses.
func Learner(id string, courses ...string) auth.Actor {
	return auth.Actor{UserID: id, Roles: []auth.Role{auth.Student}, CourseIDs: courses}
}

// Teacher teaches courses.
func Teacher(id string, courses ...string) auth.Actor {
	return auth.Actor{UserID: id, Roles: []auth.Role{auth.Teacher}, CourseIDs: courses}
}

// Admin may read everything.
func Admin(id string) auth.Actor { return auth.Actor{UserID: id, Roles: []auth.Role{auth.Admin}} }

// Create makes a goal of the actor on a course ("" for none).
func Create(t testing.TB, db *postgres.DB, s goals.Service, actor auth.Actor, courseID, title string) goals.Goal {
	t.Helper()
	g, err := Do(t.Context(), db, actor, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return s.CreateTx(ctx, tx, goals.New{Details: goals.Details{CourseID: courseID, Title: title}})
	})
	if err != nil {
		t.Fatalf("create goal %q of %s: %v", title, actor.Name(), err)
	}
	return g
}

// Do runs fn in a unit of work of the actor.
func Do[T any](ctx context.Context, db *postgres.DB, actor auth.Actor, fn func(context.Context, *postgres.Tx) (T, error)) (result T, err error) {
	err = db.InTx(ctx, postgres.As(actor), func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		result, err = fn(ctx, tx)
		return err
	})
	return result, err
}
