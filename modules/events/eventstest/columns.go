package eventstest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/events"
)

// EveryColumnTurnsRed proves that Verify sees a change of any column of any
// table of the registered folds: it changes each in turn, in a row that is
// there, and puts it back. Every table needs a row. The database's login must
// be a superuser, as that of postgrestest is.
func EveryColumnTurnsRed(t *testing.T, db *postgres.DB, log *events.Log) {
	t.Helper()
	Verify(t, log)
	changed := 0
	for _, fold := range log.Folds() {
		for _, table := range fold.Tables() {
			for _, c := range columnsOf(t, db, table.Name) {
				changed++
				t.Run(table.Name+"."+c.name, func(t *testing.T) { turnsRed(t, db, log, fold, table, c) })
			}
		}
	}
	if changed == 0 {
		t.Error("no fold has a table")
	}
	Verify(t, log)
}

type column struct{ name, kind, category string }

func columnsOf(t *testing.T, db *postgres.DB, table string) []column {
	t.Helper()
	rows, err := db.Pool().Query(t.Context(), `
		SELECT a.attname, format_type(a.atttypid, a.atttypmod), ty.typcategory::text
		FROM pg_attribute a JOIN pg_type ty ON ty.oid = a.atttypid
		WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		ORDER BY a.attnum`, table)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c column, err error) {
		err = row.Scan(&c.name, &c.kind, &c.category)
		return c, err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("columns of %s: %v, %v", table, all, err)
	}
	return all
}

// other is an expression for another value than the column has.
func (c column) other() string {
	name := pgx.Identifier{c.name}.Sanitize()
	switch {
	case c.category == "A":
		return fmt.Sprintf("CASE WHEN cardinality(%s) > 0 THEN '{}' ELSE ARRAY[NULL]::%s END", name, c.kind)
	case c.category == "B":
		return fmt.Sprintf("NOT coalesce(%s, false)", name)
	case c.category == "N":
		return fmt.Sprintf("coalesce(%s, 0) + 1", name)
	case c.category == "D":
		return fmt.Sprintf("(coalesce(%s, now()::%s) + interval '1 day')::%s", name, c.kind, c.kind)
	case c.category == "T":
		return fmt.Sprintf("coalesce(%s, '0') + interval '1 day'", name)
	case c.kind == "uuid":
		return "gen_random_uuid()"
	case strings.HasPrefix(c.kind, "json"):
		return fmt.Sprintf(`CASE WHEN %s::text = '{"changed": 1}' THEN '{"changed": 2}' ELSE '{"changed": 1}' END::%s`, name, c.kind)
	case c.kind == "bytea":
		return fmt.Sprintf(`coalesce(%s, '') || '\x00'`, name)
	case c.category == "S":
		return fmt.Sprintf("CASE WHEN %s = 'x' THEN 'y' ELSE 'x' END", name)
	default:
		return ""
	}
}

func turnsRed(t *testing.T, db *postgres.DB, log *events.Log, fold events.Folder, table events.Table, c column) {
	t.Helper()
	expression := c.other()
	if expression == "" {
		t.Fatalf("teach eventstest to change a column of type %s", c.kind)
	}
	name := pgx.Identifier{c.name}.Sanitize()
	var place, old *string
	change := func(sql string, args ...any) {
		err := pgx.BeginFunc(t.Context(), db.Pool(), func(tx pgx.Tx) error {
			// Neither triggers nor foreign keys stand in the way.
			if _, err := tx.Exec(t.Context(), "SET LOCAL session_replication_role = replica"); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), sql, args...).Scan(&place, &old)
		})
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	withoutChecks(t, db, table.Name)
	change(fmt.Sprintf(`
		WITH chosen AS (SELECT ctid AS place, %s::text AS old FROM %s LIMIT 1)
		UPDATE %s t SET %s = %s FROM chosen WHERE t.ctid = chosen.place
		RETURNING t.ctid::text, chosen.old`, name, table.Name, table.Name, name, expression))
	defer change(fmt.Sprintf(`UPDATE %s t SET %s = $1::text::%s WHERE ctid = $2::tid RETURNING ctid::text, NULL`, table.Name, name, c.kind), old, place)

	report, err := log.Verify(t.Context(), events.VerifyOptions{StreamTypes: []string{fold.StreamType()}})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Differences {
		if d.Table == table.Name && (d.Column == c.name || c.name == table.Key) {
			return
		}
	}
	t.Errorf("a change of %s.%s went unnoticed; found %v", table.Name, c.name, report.Differences)
}

// withoutChecks lets any value into the table; the database is the test's own.
func withoutChecks(t *testing.T, db *postgres.DB, table string) {
	t.Helper()
	rows, err := db.Pool().Query(t.Context(),
		"SELECT conname::text FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'", table)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := db.Pool().Exec(t.Context(), "ALTER TABLE "+table+" DROP CONSTRAINT "+pgx.Identifier{name}.Sanitize()); err != nil {
			t.Fatal(err)
		}
	}
}
