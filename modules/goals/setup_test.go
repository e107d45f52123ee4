package goals_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/goals"
	"github.com/goals-tracker/tracker/modules/goals/goalstest"
)

var (
	ada    = goalstest.Learner("ada", "c1")
	bob    = goalstest.Learner("bob", "c1")
	tess   = goalstest.Teacher("tess", "c1")
	tom    = goalstest.Teacher("tom", "c2")
	root   = goalstest.Admin("root")
	system = auth.System("test")
)

type bundle struct {
	*testing.T
	db    *postgres.DB
	log   *events.Log
	goals goals.Service
}

func setup(t *testing.T) bundle {
	t.Helper()
	db := postgrestest.DB(t)
	log := events.New(db, events.Config{}, slog.New(slog.DiscardHandler))
	return bundle{t, db, log, goalstest.New(db, log)}
}

func (b bundle) create(actor auth.Actor, course, title string) goals.Goal {
	b.Helper()
	return goalstest.Create(b.T, b.db, b.goals, actor, course, title)
}

// do runs fn in a unit of work of the actor.
func (b bundle) do(actor auth.Actor, fn func(context.Context, *postgres.Tx) (goals.Goal, error)) (goals.Goal, error) {
	return goalstest.Do(context.Background(), b.db, actor, fn)
}

// must is do, where nothing may go wrong.
func (b bundle) must(actor auth.Actor, fn func(context.Context, *postgres.Tx) (goals.Goal, error)) goals.Goal {
	b.Helper()
	g, err := b.do(actor, fn)
	if err != nil {
		b.Fatal(err)
	}
	return g
}

func (b bundle) rename(actor auth.Actor, id, title string, version *int64) (goals.Goal, error) {
	return b.do(actor, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return b.goals.UpdateTx(ctx, tx, id, version, goals.Patch{Title: &title})
	})
}

func (b bundle) remove(actor auth.Actor, id string) error {
	_, err := b.do(actor, func(ctx context.Context, tx *postgres.Tx) (goals.Goal, error) {
		return goals.Goal{}, b.goals.DeleteTx(ctx, tx, id, nil)
	})
	return err
}

// verify proves that rows and log agree.
func (b bundle) verify() {
	b.Helper()
	report, err := b.log.Verify(b.Context(), events.VerifyOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for _, d := range report.Differences {
		b.Errorf("log and rows disagree: %s", d)
	}
}

// types are the event types of a stream.
func (b bundle) types(stream, id string) (types []string) {
	b.Helper()
	history, err := b.log.Show(b.Context(), stream+":"+id)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range history {
		types = append(types, e.Type)
	}
	return types
}
