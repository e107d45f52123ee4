package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func TestEveryStatementFitsTheSchema(t *testing.T) {
	db := postgrestest.DB(t)
	conn, err := db.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	all := postgres.Statements()
	if len(all) < 100 {
		t.Errorf("only %d statements are known", len(all))
	}
	for _, s := range all {
		if strings.HasPrefix(s.Name(), "test.") {
			continue
		}
		if _, err := conn.Conn().Prepare(t.Context(), s.Name(), s.Numbered()); err != nil {
			t.Errorf("%s: %v", s.Name(), err)
		}
		if strings.Contains(s.Text(), "SELECT *") || strings.Contains(s.Text(), "RETURNING *") { //nolint:unqueryvet // it looks for them
			t.Errorf("%s does not name its columns", s.Name())
		}
	}
}

// owner's data carries this mark wherever text can stand.
const mark = "zz-owned-by-somebody-else"

// TestRowLevelSecurityHoldsWithoutAnyFilter takes the owner filters out of
// every store's SQL and runs it as another learner and as a teacher of another
// course. The database login is a superuser, as the reference's is.
func TestRowLevelSecurityHoldsWithoutAnyFilter(t *testing.T) {
	w := startWorld(t)
	ids := populate(w, mark)
	furnish(w, mark, ids[1])
	conn, err := w.db.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()

	strangers := map[string]auth.Actor{
		"another learner": {UserID: "stranger", Roles: []auth.Role{auth.Student}, CourseIDs: []string{"another-course"}},
		"another teacher": {UserID: "stranger", Roles: []auth.Role{auth.Teacher}, CourseIDs: []string{"another-course"}},
		"a classmate":     {UserID: "stranger", Roles: []auth.Role{auth.Student}, CourseIDs: []string{course}},
	}
	seenBySystem := 0
	for _, s := range postgres.Statements() {
		if strings.HasPrefix(s.Name(), "test.") || !strings.Contains(s.Text(), "/*scope*/") {
			continue
		}
		open := s.Unscoped()
		desc, err := conn.Conn().Prepare(t.Context(), "open."+s.Name(), open.Numbered())
		if err != nil {
			t.Errorf("%s without its filter: %v", s.Name(), err)
			continue
		}
		for _, guess := range guesses(desc.ParamOIDs, ids) {
			if marked(t, w.db, auth.System("test"), open, guess) {
				seenBySystem++
			}
			for who, actor := range strangers {
				if marked(t, w.db, actor, open, guess) {
					t.Errorf("%s shows another's data to %s once its filter is gone", s.Name(), who)
				}
			}
		}
	}
	if seenBySystem < 10 {
		t.Errorf("only %d of the open statements show the data to the system: the guesses prove little", seenBySystem)
	}
	checkTables(t, conn.Conn(), strangers)
}

// checkTables reads every table with a user column, with no SQL of ours.
func checkTables(t *testing.T, conn *pgx.Conn, strangers map[string]auth.Actor) {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT format('%I.%I WHERE %I <> %L', table_schema, table_name, column_name, '') FROM information_schema.columns
		WHERE column_name IN ('user_id', 'subject_id') AND table_schema NOT IN ('pg_catalog', 'information_schema', 'river')`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 10 {
		t.Fatalf("found %v, %v", tables, err)
	}
	filled := 0
	for _, table := range tables {
		for who, actor := range strangers {
			role, taught, joined := "tracker_user", "{}", "{"+strings.Join(actor.CourseIDs, ",")+"}"
			if actor.Has(auth.Teacher) {
				role, taught, joined = "tracker_teacher", joined, "{}"
			}
			var n int
			tx, err := conn.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = tx.Exec(t.Context(), `SELECT set_config('role', $1, true), set_config('tracker.subject', $2, true), set_config('tracker.courses', $3, true), set_config('tracker.joined', $4, true)`,
				role, actor.UserID, taught, joined)
			if err == nil {
				err = tx.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n)
			}
			_ = tx.Rollback(t.Context())
			if err != nil && !strings.Contains(err.Error(), "permission denied") {
				t.Errorf("%s: %v", table, err)
			}
			if n > 0 {
				t.Errorf("%s shows %d rows to %s", table, n, who)
			}
		}
		var n int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Error(err)
		}
		if n > 0 {
			filled++
		}
	}
	if filled < 10 {
		t.Errorf("only %d of %d tables hold rows: an empty table proves nothing", filled, len(tables))
	}
}

// marked reports whether a statement shows the owner's data. It runs and is
// undone.
func marked(t *testing.T, db *postgres.DB, actor auth.Actor, s *postgres.Statement, values []any) bool {
	t.Helper()
	found := false
	errUndo := fmt.Errorf("undo")
	_ = db.InTx(t.Context(), postgres.As(actor), func(ctx context.Context, tx *postgres.Tx) error {
		raw, err := tx.PGX(ctx)
		if err != nil {
			return err
		}
		rows, err := raw.Query(ctx, s.Numbered(), values...)
		if err != nil {
			return err // refused: nothing was shown
		}
		defer rows.Close()
		for rows.Next() {
			for _, value := range rows.RawValues() {
				found = found || strings.Contains(string(value), mark)
			}
		}
		return errUndo
	})
	return found
}

// guesses are arguments that could find the owner's rows: each of their ids in
// turn for every uuid, open ends for the rest.
func guesses(types []uint32, ids []string) [][]any {
	var all [][]any
	for _, id := range append([]string{""}, ids...) {
		values := make([]any, len(types))
		for i, oid := range types {
			values[i] = guess(oid, id, ids)
		}
		all = append(all, values)
	}
	return all
}

func guess(oid uint32, id string, ids []string) any {
	switch oid {
	case pgtype.UUIDOID:
		if id == "" {
			return nil
		}
		return uuid.MustParse(id)
	case pgtype.UUIDArrayOID:
		parsed := make([]uuid.UUID, len(ids))
		for i := range ids {
			parsed[i] = uuid.MustParse(ids[i])
		}
		return parsed
	case pgtype.BoolOID:
		return true
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		return 100
	case pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID:
		return 1.5
	case pgtype.TimestamptzOID:
		return time.Now().Add(time.Hour)
	case pgtype.DateOID:
		return time.Now().AddDate(0, 0, -30)
	case pgtype.TextOID, pgtype.VarcharOID:
		if id == "" {
			return course
		}
		return mark
	case pgtype.TextArrayOID:
		return []string{course, mark}
	default:
		return nil
	}
}
