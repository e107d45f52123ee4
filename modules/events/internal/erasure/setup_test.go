package erasure_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/keyfile"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/erasure"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
)

const (
	ada = "learner-0001"
	bob = "learner-0002"
	tim = "teacher-0003"
)

type bundle struct {
	db   *postgres.DB
	log  *events.Log
	keys *keyfile.Subjects
	dir  string
	told []string
	// memory may be nil.
	memory erasure.Memory
	// more is what the registry has beside core's and the log's.
	more privacy.Registry
}

func setup(t testing.TB) *bundle {
	t.Helper()
	b := &bundle{db: postgrestest.DB(t), dir: t.TempDir()}
	b.log = events.New(b.db, events.Config{}, slog.New(slog.DiscardHandler))
	var err error
	if b.keys, err = keyfile.NewSubjects("test", b.dir+"/subjects"); err != nil {
		t.Fatal(err)
	}
	return b
}

// erasure is another process on the same database and folder.
func (b *bundle) erasure(t testing.TB, between func(string) error) *erasure.Erasure {
	t.Helper()
	e, err := erasure.New(erasure.Deps{
		DB: b.db, Log: b.log, Personal: privacy.Merge(privacy.Core, events.Privacy, b.more), Dir: b.dir, Keys: b.keys,
		Memory: b.memory,
		Tell:   func(id string) { b.told = append(b.told, id) }, Settle: time.Millisecond, Between: between, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (b *bundle) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := b.db.Pool().Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (b *bundle) count(t testing.TB, from string, args ...any) (n int) {
	t.Helper()
	if err := b.db.Pool().QueryRow(context.Background(), "SELECT count(*) FROM "+from, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", from, err)
	}
	return n
}

// happens appends n events of a goal of subject, by actor.
func (b *bundle) happens(t testing.TB, actor, subject string, n int) events.Stream {
	t.Helper()
	s := events.Stream{Type: "goal", ID: uuid.NewString(), SubjectID: subject, CourseID: "c1"}
	if err := b.append(actor, s, n); err != nil {
		t.Fatal(err)
	}
	return s
}

func (b *bundle) append(actor string, s events.Stream, n int) error {
	who := auth.Actor{UserID: actor, Roles: []auth.Role{auth.Student}}
	return b.db.InTx(context.Background(), postgres.As(who), func(_ context.Context, tx *postgres.Tx) error {
		b.log.Append(tx, s, 0, &goalsv1.GoalCreated{GoalId: s.ID, UserId: s.SubjectID, Details: &goalsv1.GoalDetails{Title: "Learn " + s.SubjectID}})
		for i := 1; i < n; i++ {
			b.log.Append(tx, s, int64(i), &goalsv1.GoalStarted{GoalId: s.ID})
		}
		return nil
	})
}

// life gives a person a row in every table that names people here.
func (b *bundle) life(t testing.TB, user string) {
	t.Helper()
	s := b.happens(t, user, user, 3)
	b.happens(t, user, user, 2)
	b.exec(t, `INSERT INTO core.idempotency_keys (subject_id, key, procedure, request_hash, expires_at) VALUES ($1, 'k', '/p', '\x00', now() + interval '1 hour')`, user)
	b.exec(t, `INSERT INTO events.parked (subscription, stream_id, subject_id, position, error, attempts, next_try_at) VALUES ($2, $1, $3, 1, $3, 1, now())`, s.Name(), "sub-"+user, user)
	b.exec(t, `INSERT INTO core.notices (channel, payload) VALUES ('screens', $1)`, fmt.Sprintf(`{"user_id":%q}`, user))
	for _, args := range []string{fmt.Sprintf(`{"goal":%q}`, s.ID), fmt.Sprintf(`{"who":%q}`, user)} {
		b.exec(t, `INSERT INTO river.river_job (kind, max_attempts, args, state) VALUES ('x', 3, $1, 'available')`, args)
	}
	if _, err := b.keys.Key(user); err != nil {
		t.Fatal(err)
	}
}

// rows is what stands in the tables that erasure touches, but for erasures.
func (b *bundle) rows(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, name := range []string{"events.events", "events.streams", "events.parked", "core.idempotency_keys", "core.notices", "river.river_job"} {
		where := ""
		if name == "events.events" || name == "events.streams" {
			where = " WHERE stream_id NOT LIKE 'erasure:%'"
		}
		rows, err := b.db.Pool().Query(context.Background(), "SELECT t::text FROM "+name+" t"+where)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			all = append(all, name+" "+text)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(all)
	return all
}

func (b *bundle) green(t testing.TB) {
	t.Helper()
	report, err := b.log.Verify(context.Background(), events.VerifyOptions{})
	if err != nil || !report.OK() {
		t.Errorf("verify: %v, %v", report.Differences, err)
	}
}
