package ws_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

// uncommitted appends an event of a person's goal in a transaction that is told when
// to commit; it returns once the event has its position.
func uncommitted(t *testing.T, db *postgres.DB, user string) (goalID string, commit func()) {
	t.Helper()
	log := events.New(db, events.DefaultConfig(), nil)
	goalID = uuid.NewString()
	placed, may, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.InTx(context.WithoutCancel(t.Context()), postgres.As(auth.Actor{UserID: user, Roles: []auth.Role{auth.Student}}),
			func(_ context.Context, tx *postgres.Tx) error {
				log.Append(tx, events.Stream{Type: "goal", ID: goalID, SubjectID: user}, events.AnyVersion, &goalsv1.GoalStarted{GoalId: goalID})
				tx.BeforeCommit(func(_ context.Context, tx *postgres.Tx) error {
					tx.BeforeCommit(func(ctx context.Context, tx *postgres.Tx) error { // after the log was written
						_, err := tx.PGX(ctx) // sends it
						close(placed)
						<-may
						return err
					})
					return nil
				})
				return nil
			})
	}()
	<-placed
	return goalID, func() {
		t.Helper()
		close(may)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// The first has the smaller position and commits last: whoever were told of the
// second at its commit would never hear of the first.
func TestOfTwoTransactionsTheOneThatCommitsLastIsMissedByNoScreen(t *testing.T) {
	db := postgrestest.DB(t)
	r := start(t, db, nil)
	c := dial(t, r, "/ws", "ada", time.Hour)
	c.next("hello")
	c.send("ping", "", nil)
	c.next("pong")
	first, commitFirst := uncommitted(t, db, "ada")
	second, commitSecond := uncommitted(t, db, "ada")
	commitSecond()
	// One that comes back now is owed both, and sees neither yet.
	back, _, err := open(t, r, "/ws?after_seq=0&token="+token(t, "ada", time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := back.next("resume.ok"); m.field("events") != float64(0) {
		t.Errorf("before the first has committed, it got %s", m.Payload)
	}
	watched := watch(t, r, "ada", nil)
	<-watched // hello
	commitFirst()
	for name, next := range map[string]func() (int64, any){
		"a screen that was open": func() (int64, any) { m := c.next("goal.started"); return m.Seq, m.field("goal_id") },
		"one that came back":     func() (int64, any) { m := back.next("goal.started"); return m.Seq, m.field("goal_id") },
		"a stream": func() (int64, any) {
			e := (<-watched).GetEvent()
			return e.GetPosition(), e.GetStreamId()[len("goal:"):]
		},
	} {
		one, is := next()
		other, last := next()
		if is != first || last != second || one >= other {
			t.Errorf("%s got %v at %d, then %v at %d; want %s, then %s", name, is, one, last, other, first, second)
		}
	}
}

// What was pushed live can be had again, also while a late writer holds back
// what others read as settled.
func TestALateWriterDoesNotHideWhatTheScreenItselfWasSent(t *testing.T) {
	db := postgrestest.DB(t)
	r := start(t, db, func(o *options) { o.Ring = 1 })
	c := dial(t, r, "/ws", "ada", time.Hour)
	c.next("hello")
	var seqs []int64
	for i := range 4 {
		c.create(fmt.Sprint(i))
		seqs = append(seqs, c.next("goal.created").Seq)
	}
	tx, err := db.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), "SELECT pg_advisory_xact_lock_shared(events.writer_key($1))", seqs[0]); err != nil {
		t.Fatal(err)
	}
	c.send("resume", "again", map[string]any{"after_seq": seqs[0]})
	if m := c.next("resume.ok"); m.field("events") != float64(3) {
		t.Errorf("got %s, want the 3 that came after the first", m.Payload)
	}
}
