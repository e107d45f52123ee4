package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/fx"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/core/privacy"
	"github.com/goals-tracker/tracker/modules/events/eventsfx"
)

const (
	goes  = "learner-who-goes-1"
	stays = "learner-who-stays-2"
)

// eraser is a process that can erase on the database.
func eraser(t *testing.T, db *postgres.DB, dir string) *eventsfx.Erasure {
	t.Helper()
	cfg := DefaultConfig()
	cfg.DataDir, cfg.Auth.SecretKey = dir, testSecret
	cfg.Plugins.Dir = t.TempDir()
	cfg.Events.Erasure.Settle = 1
	var erasure *eventsfx.Erasure
	app := fx.New(idle(cfg, &database{DB: db}, slog.New(slog.DiscardHandler)), fx.Populate(&erasure))
	if err := app.Err(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Stop(context.Background()) })
	return erasure
}

// Whatever table is added: who erases people must know how, or this fails.
func TestEveryTableOfTheRegistryIsErasedAndKeepsWhatIsAnothers(t *testing.T) {
	db := postgrestest.DB(t)
	f := newFiller(t, db)
	for _, user := range []string{stays, goes} {
		for _, table := range personal.Tables {
			f.fill(table, user)
		}
	}
	f.close()
	count := func(name, user string) (n int) {
		t.Helper()
		// Byte columns hold it as hexadecimal digits.
		err := db.Pool().QueryRow(t.Context(), "SELECT count(*) FROM "+name+" t WHERE strpos(t::text, $1) > 0 OR strpos(t::text, encode(convert_to($1, 'UTF8'), 'hex')) > 0", user).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	filled, kept := 0, map[string]int{}
	for _, table := range personal.Tables {
		kept[table.Name] = count(table.Name, stays)
		if len(table.Personal) == 0 || table.Erase == privacy.WhenErased {
			continue
		}
		if filled++; table.Name != "rag.embeddings" && kept[table.Name] == 0 { // those are numbers
			t.Errorf("%s was not filled", table.Name)
		}
	}
	if filled < 40 {
		t.Errorf("only %d tables were filled", filled)
	}
	receipt, _, err := eraser(t, db, t.TempDir()).Erase(t.Context(), goes, "operator")
	if err != nil {
		t.Fatal(err)
	}
	if !receipt.Complete {
		t.Errorf("the scan found %v", receipt.Scan.Left)
	}
	for _, table := range personal.Tables {
		if n := count(table.Name, goes); n > 0 {
			t.Errorf("%s still has %d rows of the person", table.Name, n)
		}
		if n := count(table.Name, stays); n != kept[table.Name] {
			t.Errorf("%s has %d rows of another, of %d", table.Name, n, kept[table.Name])
		}
		if c, named := receipt.Tables[table.Name]; table.Erase != privacy.Impersonal && table.Erase != privacy.WhenErased && (!named || c.Erased == 0) {
			t.Errorf("the receipt says nothing of %s: %+v", table.Name, c)
		}
	}
}

func TestAPersonIsErasedFromTheCommandLineAndTheReceiptVerifies(t *testing.T) {
	url, dir := postgrestest.URL(t), t.TempDir()
	t.Setenv("DATABASE_URL", url)
	t.Setenv("TRACKER_DATA_DIR", dir)
	t.Setenv("TRACKER_EVENTS_ERASURE_SETTLE", "1ms")
	t.Chdir(t.TempDir())
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), `INSERT INTO llm.learner_settings (user_id, local_only, updated_at) VALUES ($1, true, now())`, goes); err != nil {
		t.Fatal(err)
	}
	said, code := output(t, "events", "erase", "--user", goes, "--yes")
	file := regexp.MustCompile(`receipt: (\S+)`).FindStringSubmatch(said)
	if code != 0 || len(file) < 2 || !strings.HasPrefix(file[1], dir) || !regexp.MustCompile(`llm\.learner_settings +1 before, +1 erased, +0 others' changed, +0 after`).MatchString(said) {
		t.Fatalf("exit %d:\n%s", code, said)
	}
	var left int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM llm.learner_settings`).Scan(&left); err != nil || left > 0 {
		t.Errorf("%d rows, %v", left, err)
	}
	key, _ := output(t, "events", "receipt", "key")
	if said, code := output(t, "events", "receipt", "verify", file[1]); code != 0 || !strings.Contains(said, "the signature is this key's: "+strings.TrimSpace(key)) {
		t.Errorf("exit %d:\n%s", code, said)
	}
	content, err := os.ReadFile(file[1])
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(dir, "changed.json")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(content), `"erased": 1`, `"erased": 2`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, code := output(t, "events", "receipt", "verify", changed); code != 1 {
		t.Errorf("a changed receipt: exit %d", code)
	}
	// The backup has the person and knows of no erasure.
	if _, err := conn.Exec(t.Context(), `DELETE FROM events.erasures`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `INSERT INTO llm.learner_settings (user_id, local_only, updated_at) VALUES ($1, true, now()), ($2, true, now())`, goes, stays); err != nil {
		t.Fatal(err)
	}
	if said, code := output(t, "events", "erase", "--replay-ledger"); code != 0 || !strings.HasPrefix(said, "1 people") {
		t.Errorf("exit %d: %s", code, said)
	}
	var who string
	if err := conn.QueryRow(t.Context(), `SELECT string_agg(user_id, ' ') FROM llm.learner_settings`).Scan(&who); err != nil || who != stays {
		t.Errorf("%s are left, %v", who, err)
	}
	for _, args := range [][]string{{"erase"}, {"erase", "--user", goes, "--replay-ledger"}} {
		if _, code := output(t, append([]string{"events"}, args...)...); code != 1 {
			t.Errorf("%v: exit %d", args, code)
		}
	}
}

// output runs a command in this process and gives what it printed.
func output(t *testing.T, args ...string) (string, int) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = write
	said := make(chan string)
	go func() { all, _ := io.ReadAll(read); said <- string(all) }()
	code := run(args)
	os.Stdout = stdout
	_ = write.Close()
	return <-said, code
}

// filler makes rows of somebody in any table, from the catalog alone.
type filler struct {
	t    *testing.T
	conn *pgx.Conn
	n    int
}

// newFiller opens a connection that no foreign key and no trigger stops.
func newFiller(t *testing.T, db *postgres.DB) *filler {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SET session_replication_role = replica"); err != nil {
		t.Fatal(err)
	}
	return &filler{t: t, conn: conn}
}

func (f *filler) close() { _ = f.conn.Close(context.Background()) }

// fill inserts a row that names the user wherever the registry says that it may.
func (f *filler) fill(table privacy.Table, user string) {
	f.t.Helper()
	if len(table.Personal) == 0 || table.Erase == privacy.WhenErased {
		return
	}
	rows, err := f.conn.Query(f.t.Context(), `
		SELECT a.attname, t.typname, a.attnotnull AND NOT a.atthasdef AND a.attidentity = '',
		       coalesce((SELECT string_agg(pg_get_constraintdef(c.oid), ' ') FROM pg_constraint c
		                 WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND a.attnum = ANY(c.conkey)), '')
		FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
		WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum`, table.Name)
	if err != nil {
		f.t.Fatal(err)
	}
	type column struct {
		Name, Type string
		Needed     bool
		Checks     string
	}
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil {
		f.t.Fatal(err)
	}
	link, parent := f.link(table)
	f.n++
	var names, values []string
	for _, c := range columns {
		isPersonal := slices.Contains(table.Personal, c.Name)
		value := ""
		switch {
		case c.Name == table.Subject:
			value = "'" + user + "'"
		case c.Name == link:
			value = parent(user)
		case c.Type == "text" && isPersonal && !strings.Contains(c.Checks, "ARRAY"):
			value = "'" + user + "'"
		case (c.Type == "jsonb" || c.Type == "json") && isPersonal:
			value = fmt.Sprintf(`'{"who":%q}'`, user)
		case c.Type == "bytea" && isPersonal && !strings.Contains(c.Checks, "length"):
			value = "convert_to('by " + user + "', 'UTF8')"
		case c.Type == "_text" && isPersonal:
			value = "ARRAY['" + user + "']"
		case c.Needed || c.Name == "id" && c.Type == "uuid":
			value = f.any(c.Type, c.Checks)
		}
		if value != "" {
			names, values = append(names, `"`+c.Name+`"`), append(values, value)
		}
	}
	insert := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table.Name, strings.Join(names, ", "), strings.Join(values, ", "))
	if _, err := f.conn.Exec(f.t.Context(), insert); err != nil {
		f.t.Errorf("fill %s: %v\n%s", table.Name, err, insert)
	}
}

// link is the column that leads to the parent, and how a user's parent is found.
func (f *filler) link(table privacy.Table) (string, func(user string) string) {
	if table.Erase != privacy.DeleteWithParent {
		return "", nil
	}
	column, key := table.ParentKey, "id"
	if column == "" {
		err := f.conn.QueryRow(f.t.Context(), `
			SELECT c.attname, p.attname FROM pg_constraint f
			JOIN pg_attribute c ON c.attrelid = f.conrelid AND c.attnum = f.conkey[1]
			JOIN pg_attribute p ON p.attrelid = f.confrelid AND p.attnum = f.confkey[1]
			WHERE f.contype = 'f' AND f.conrelid = $1::regclass AND f.confrelid = $2::regclass`, table.Name, table.Parent).Scan(&column, &key)
		if err != nil {
			f.t.Fatalf("%s hangs on %s by nothing: %v", table.Name, table.Parent, err)
		}
	}
	return column, func(user string) string {
		return fmt.Sprintf("(SELECT %s FROM %s t WHERE strpos(t::text, '%s') > 0 LIMIT 1)", key, table.Parent, user)
	}
}

var literal = regexp.MustCompile(`'([a-z_]+)'::text`)

// any is a value of the type that the checks let through.
func (f *filler) any(kind, checks string) string {
	switch kind {
	case "text":
		if allowed := literal.FindStringSubmatch(checks); allowed != nil {
			return "'" + allowed[1] + "'"
		}
		return fmt.Sprintf("'v%d'", f.n)
	case "int2", "int4", "int8", "float8", "float4", "numeric":
		if checks != "" {
			return "1"
		}
		return fmt.Sprint(f.n)
	case "uuid":
		return "gen_random_uuid()"
	case "json", "jsonb":
		return "'{}'"
	case "timestamptz":
		return "now()"
	case "date":
		return "current_date"
	case "bool":
		return "true"
	case "bytea":
		return fmt.Sprintf(`'\x%064x'`, f.n)
	case "vector", "halfvec":
		return "'[1,2,3]'"
	default:
		if strings.HasPrefix(kind, "_") {
			return "'{}'"
		}
		return "NULL"
	}
}
