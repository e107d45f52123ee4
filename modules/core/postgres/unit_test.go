package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/errs"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

var (
	insertNote = postgres.SQL("test.notes.insert", `INSERT INTO core.test_notes (user_id, course_id, body) VALUES (@user, @course, @body)`)
	countNotes = postgres.SQL("test.notes.count", `SELECT count(*) FROM core.test_notes WHERE /*scope*/ user_id = @user /*end*/`)
	whoAmI     = postgres.SQL("test.whoami", `SELECT current_user::text, core.actor_id()`)
)

func setup(t *testing.T) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: postgrestest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	_, err = db.Pool().Exec(t.Context(), `
		CREATE TABLE core.test_notes (user_id text, course_id text, body text);
		ALTER TABLE core.test_notes ENABLE ROW LEVEL SECURITY;
		ALTER TABLE core.test_notes FORCE ROW LEVEL SECURITY;
		CREATE POLICY own ON core.test_notes TO tracker_user USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
		CREATE POLICY class ON core.test_notes TO tracker_teacher USING (user_id = core.actor_id() OR core.teaches(course_id));
		CREATE POLICY system ON core.test_notes TO tracker_system USING (true) WITH CHECK (true);
		GRANT ALL ON core.test_notes TO tracker_user, tracker_teacher, tracker_system`)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func learner(id string) auth.Actor {
	return auth.Actor{UserID: id, Roles: []auth.Role{auth.Student}}
}

func write(db *postgres.DB, call postgres.Call, body string) error {
	return db.InTx(context.Background(), call, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, insertNote, postgres.Args{"user": call.Actor.UserID, "course": "c1", "body": body})
		tx.Seal([]byte(body))
		return err
	})
}

func count(t *testing.T, q postgres.Queryer, user string) (n int) {
	t.Helper()
	if err := q.QueryRow(t.Context(), countNotes, postgres.Args{"user": user}).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestStatementsRunUnderTheActorsRole(t *testing.T) {
	db := setup(t)
	for _, c := range []struct {
		actor auth.Actor
		role  string
	}{
		{learner("ada"), "tracker_user"},
		{auth.Actor{UserID: "tim", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{`we"ird\,course`}}, "tracker_teacher"},
		{auth.System("test"), "tracker_system"},
	} {
		var role string
		var subject *string
		if err := db.As(c.actor).QueryRow(t.Context(), whoAmI, postgres.Args{}).Scan(&role, &subject); err != nil {
			t.Fatal(err)
		}
		if role != c.role {
			t.Errorf("%s runs as %s, want %s", c.actor.Name(), role, c.role)
		}
		if c.actor.UserID != "" && (subject == nil || *subject != c.actor.UserID) {
			t.Errorf("subject is %v, want %s", subject, c.actor.UserID)
		}
	}
	var role string
	if err := db.Pool().QueryRow(t.Context(), "SELECT current_user::text").Scan(&role); err != nil {
		t.Fatal(err)
	}
	if role == "tracker_system" || role == "tracker_user" {
		t.Errorf("a role leaked into the pool: %s", role)
	}
}

var courseRights = postgres.SQL("test.course_rights", `SELECT core.teaches(@course), core.joined(@course), core.is_admin()`)

func TestPoliciesTellTeachersLearnersAndAdminsApart(t *testing.T) {
	db := setup(t)
	actor := func(role auth.Role, courses ...string) auth.Actor {
		return auth.Actor{UserID: "ada", Roles: []auth.Role{role}, CourseIDs: courses}
	}
	type rights struct{ teaches, joined, admin bool }
	for _, c := range []struct {
		name   string
		actor  auth.Actor
		course any
		want   rights
	}{
		{"a learner of the course", actor(auth.Student, "c1", "c2"), "c2", rights{joined: true}},
		{"a learner of another course", actor(auth.Student, "c1"), "c2", rights{}},
		{"a learner of none", actor(auth.Student), "c2", rights{}},
		{"a learner whose token lists a star", actor(auth.Student, "*"), "c2", rights{}},
		{"a learner whose token lists a literal", actor(auth.Student, `x","c2`), "c2", rights{}},
		{"a teacher of the course", actor(auth.Teacher, "c2"), "c2", rights{teaches: true, joined: true}},
		{"a teacher of another course", actor(auth.Teacher, "c1"), "c2", rights{}},
		{"a teacher whose token lists a star", actor(auth.Teacher, "*"), "c2", rights{}},
		{"an admin", actor(auth.Admin), "c2", rights{true, true, true}},
		{"an admin, of no course", actor(auth.Admin), nil, rights{admin: true}},
		{"the system, whose policies ask nothing", auth.System("test"), "c2", rights{}},
	} {
		var got rights
		err := db.As(c.actor).QueryRow(t.Context(), courseRights, postgres.Args{"course": c.course}).Scan(&got.teaches, &got.joined, &got.admin)
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func TestBecomingSomebodyElseLeavesNoCoursesBehind(t *testing.T) {
	db := setup(t)
	teacher := auth.Actor{UserID: "tim", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"c1"}}
	member := auth.Actor{UserID: "ada", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"c1"}}
	err := db.InTx(t.Context(), postgres.As(teacher), func(ctx context.Context, tx *postgres.Tx) error {
		for _, step := range []struct {
			actor                  auth.Actor
			teaches, joined, admin bool
		}{{teacher, true, true, false}, {member, false, true, false}, {learner("bob"), false, false, false}} {
			tx.Become(step.actor)
			var teaches, joined, admin bool
			if err := tx.QueryRow(ctx, courseRights, postgres.Args{"course": "c1"}).Scan(&teaches, &joined, &admin); err != nil {
				return err
			}
			if teaches != step.teaches || joined != step.joined || admin != step.admin {
				t.Errorf("%s: teaches %t, joined %t, admin %t", step.actor.UserID, teaches, joined, admin)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRowLevelSecurityHoldsWithoutTheFilter(t *testing.T) {
	db := setup(t)
	for _, who := range []string{"ada", "bob"} {
		if err := write(db, postgres.As(learner(who)), "note"); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	rows, err := db.As(learner("ada")).Query(t.Context(), countNotes.Unscoped(), postgres.Args{})
	if err != nil {
		t.Fatal(err)
	}
	if n, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int]); err != nil || n != 1 {
		t.Errorf("without the filter ada sees %d rows (%v), want her own one", n, err)
	}
	if n := count(t, db.As(auth.System("test")), "bob"); n != 1 {
		t.Errorf("the system sees %d, want 1", n)
	}
}

func TestAnErrorUndoesEverything(t *testing.T) {
	db := setup(t)
	boom := errors.New("boom")
	err := db.InTx(t.Context(), postgres.As(learner("ada")), func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, insertNote, postgres.Args{"user": "ada", "course": "c1", "body": "x"}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v, want boom", err)
	}
	err = db.InTx(t.Context(), postgres.As(learner("ada")), func(ctx context.Context, tx *postgres.Tx) error {
		tx.BeforeCommit(func(context.Context, *postgres.Tx) error { return boom })
		_, err := tx.Exec(ctx, insertNote, postgres.Args{"user": "ada", "course": "c1", "body": "x"})
		return err
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v, want boom", err)
	}
	if n := count(t, db.As(learner("ada")), "ada"); n != 0 {
		t.Errorf("%d rows stayed, want none", n)
	}
}

func TestAFailedStatementFailsTheUnitOfWork(t *testing.T) {
	db := setup(t)
	err := db.InTx(t.Context(), postgres.As(learner("ada")), func(ctx context.Context, tx *postgres.Tx) error {
		_, _ = tx.Exec(ctx, insertNote, postgres.Args{"user": "bob", "course": "c1", "body": "not hers"})
		return nil // the error is ignored, as a careless caller would
	})
	if err == nil {
		t.Fatal("a transaction that had failed was reported as committed")
	}
}

func TestTheSameKeyIsDoneOnce(t *testing.T) {
	db := setup(t)
	call := postgres.Call{Actor: learner("ada"), Key: "k1", Procedure: "/p", Hash: []byte("h")}
	var wg sync.WaitGroup
	results := make(chan error, 20)
	for i := range 20 {
		wg.Go(func() { results <- write(db, call, fmt.Sprintf("body %d", i)) })
	}
	wg.Wait()
	close(results)
	done, first := 0, ""
	for err := range results {
		var replay *postgres.Replay
		switch {
		case err == nil:
			done++
		case errors.As(err, &replay):
			if first == "" {
				first = string(replay.Reply)
			}
			if string(replay.Reply) != first {
				t.Errorf("two replies under one key: %q and %q", replay.Reply, first)
			}
		default:
			t.Error(err)
		}
	}
	if n := count(t, db.As(learner("ada")), "ada"); done != 1 || n != 1 {
		t.Errorf("%d calls did the work and left %d rows, want one", done, n)
	}
}

func TestAKeyWithAnotherBodyIsRefused(t *testing.T) {
	db := setup(t)
	call := postgres.Call{Actor: learner("ada"), Key: "k1", Procedure: "/p", Hash: []byte("h")}
	if err := write(db, call, "one"); err != nil {
		t.Fatal(err)
	}
	call.Hash = []byte("other")
	if err := write(db, call, "two"); !errs.KeyReused.Is(err) {
		t.Fatalf("got %v, want KeyReused", err)
	}
	call.Actor = learner("bob")
	if err := write(db, call, "two"); err != nil {
		t.Fatalf("another person's key collided: %v", err)
	}
}

func TestAKeyOfAFailedCallCanBeUsedAgain(t *testing.T) {
	db := setup(t)
	call := postgres.Call{Actor: learner("ada"), Key: "k1", Procedure: "/p", Hash: []byte("h")}
	boom := errors.New("boom")
	err := db.InTx(t.Context(), call, func(ctx context.Context, tx *postgres.Tx) error {
		if _, err := tx.Exec(ctx, insertNote, postgres.Args{"user": "ada", "course": "c1", "body": "x"}); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if err := write(db, call, "again"); err != nil {
		t.Fatalf("the key of a call that was undone is taken: %v", err)
	}
}

func TestADeadlockIsTriedAgain(t *testing.T) {
	db := setup(t)
	if _, err := db.Pool().Exec(t.Context(), `INSERT INTO core.test_notes VALUES ('ada','c1','a'), ('ada','c1','b')`); err != nil {
		t.Fatal(err)
	}
	both := make(chan struct{}, 2)
	run := func(first, second string) error {
		tries := 0
		return db.InTx(context.Background(), postgres.As(learner("ada")), func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := tx.Exec(ctx, touchNote, postgres.Args{"body": first}); err != nil {
				return err
			}
			if tries++; tries == 1 {
				both <- struct{}{}
				for len(both) < 2 {
					runtime.Gosched()
				}
			}
			_, err := tx.Exec(ctx, touchNote, postgres.Args{"body": second})
			return err
		})
	}
	var wg sync.WaitGroup
	for _, order := range [][2]string{{"a", "b"}, {"b", "a"}} {
		wg.Go(func() {
			if err := run(order[0], order[1]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

var touchNote = postgres.SQL("test.notes.touch", `UPDATE core.test_notes SET course_id = course_id WHERE body = @body`)

var manyArguments = postgres.SQL("test.args", `SELECT @a, '@b', "@c", x @> @a, -- @d
		/* @e */ y <@ @f`)

func TestStatementArguments(t *testing.T) {
	s := manyArguments
	want := `SELECT $1, '@b', "@c", x @> $1, -- @d
		/* @e */ y <@ $2`
	if s.Numbered() != want {
		t.Errorf("got %q, want %q", s.Numbered(), want)
	}
	if _, err := s.Bind(postgres.Args{"a": 1}); err == nil {
		t.Error("a missing argument went unnoticed")
	}
	if _, err := s.Bind(postgres.Args{"a": 1, "g": 2}); err == nil {
		t.Error("a misspelt argument went unnoticed")
	}
}
