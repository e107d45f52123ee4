package eventsfx_test

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

func TestTheLogRunsAsLongAsTheApplicationAndLeavesNothingBehind(t *testing.T) {
	url := postgrestest.URL(t)
	before := goleak.IgnoreCurrent()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	var log *events.Log
	app := fxtest.New(t, fx.NopLogger,
		fx.Supply(db, events.DefaultConfig(), slog.New(slog.DiscardHandler)), fx.Provide(postgres.NewListener), eventsfx.Module, fx.Populate(&log))
	app.RequireStart()
	tail := log.Tail(0)
	err = db.InTx(t.Context(), postgres.As(auth.System("test")), func(_ context.Context, tx *postgres.Tx) error {
		log.Append(tx, events.Stream{Type: "goal", ID: "x"}, 0, &goalsv1.GoalStarted{})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tail.Next(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("followed %v, %v", got, err)
	}
	app.RequireStop()
	db.Close()
	goleak.VerifyNone(t, before)
}
