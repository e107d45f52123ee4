package events_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

type bundle struct {
	db  *postgres.DB
	log *events.Log
}

func setup(t testing.TB) bundle {
	t.Helper()
	db := postgrestest.DB(t)
	return bundle{db, newLog(db)}
}

// newLog is another replica on the same database.
func newLog(db *postgres.DB) *events.Log {
	return events.New(db, events.Config{RetryAfter: 50 * time.Millisecond}, slog.New(slog.DiscardHandler))
}

func learner(id string) auth.Actor {
	return auth.Actor{UserID: id, Roles: []auth.Role{auth.Student}}
}

func teacher(id string, courses ...string) auth.Actor {
	return auth.Actor{UserID: id, Roles: []auth.Role{auth.Teacher}, CourseIDs: courses}
}

var system = auth.System("test")

func goal(user string) events.Stream {
	return events.Stream{Type: "goal", ID: uuid.NewString(), SubjectID: user}
}

func created(s events.Stream, title string) *goalsv1.GoalCreated {
	return &goalsv1.GoalCreated{GoalId: s.ID, UserId: s.SubjectID, Details: &goalsv1.GoalDetails{Title: title, Metadata: `{"a": [1, "é"]}`}}
}

func started(s events.Stream) *goalsv1.GoalStarted { return &goalsv1.GoalStarted{GoalId: s.ID} }

// inTx runs fn in a unit of work of a learner.
func (b bundle) inTx(fn func(tx *postgres.Tx) error) error {
	return b.db.InTx(context.Background(), postgres.Call{Actor: learner("ada"), RequestID: "req-1"}, func(_ context.Context, tx *postgres.Tx) error { return fn(tx) })
}

// appendAs appends with one unit of work and fails the test on an error.
func (b bundle) create(t testing.TB, s events.Stream, more ...int) {
	t.Helper()
	err := b.inTx(func(tx *postgres.Tx) error {
		b.log.Append(tx, s, 0, created(s, "Learn Go"))
		for i := range more {
			b.log.Append(tx, s, int64(i)+1, started(s))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// all is the whole log as the system reads it.
func (b bundle) all(t testing.TB) []events.Event {
	t.Helper()
	got, _, err := b.log.Read(t.Context(), b.db.As(system), events.Filter{For: system, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (b bundle) scan(t testing.TB, sql string, into ...any) {
	t.Helper()
	if err := b.db.Pool().QueryRow(context.Background(), sql).Scan(into...); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", sql, err))
	}
}
