package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/cmd/tracker/internal/reference"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// Whom this system erased stays erased, whatever another database still has of
// them; a machine that can't know who that is imports nothing.
func TestAnImportBringsNobodyBackWhoWasErased(t *testing.T) {
	fixture, err := os.ReadFile("internal/reference/testdata/reference.sql")
	if err != nil {
		t.Fatal(err)
	}
	from, dir, report := postgrestest.Empty(t), t.TempDir(), filepath.Join(t.TempDir(), "report.json")
	conn, err := pgx.Connect(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), string(fixture)); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())
	t.Setenv("DATABASE_URL", postgrestest.URL(t))
	t.Setenv("TRACKER_DATA_DIR", dir)
	t.Setenv("TRACKER_EVENTS_ERASURE_SETTLE", "1ms")
	t.Setenv("TRACKER_IMPORT_FROM", from+"&password=hunter2secret")
	t.Chdir(t.TempDir())
	if said, code := output(t, "events", "erase", "--user", "ada", "--yes"); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	t.Setenv("TRACKER_DATA_DIR", t.TempDir())
	if said, code := output(t, "migrate", "import"); code != 1 {
		t.Errorf("a machine without the ledger imports, exit %d:\n%s", code, said)
	}
	t.Setenv("TRACKER_DATA_DIR", dir)
	said, code := output(t, "migrate", "import", "--report", report)
	text, err := os.ReadFile(report)
	var r reference.Report
	if err != nil || json.Unmarshal(text, &r) != nil || code != 0 {
		t.Fatalf("exit %d, %v:\n%s\n%s", code, err, said, text)
	}
	if g := r.Tables["goals"]; g.Taken != 4 || g.LeftBecause["its user was erased here"].Count != 2 {
		t.Errorf("%s", text)
	}
	if strings.Contains(said+string(text), "hunter2secret") {
		t.Errorf("the password is told:\n%s\n%s", said, text)
	}
	conn, err = pgx.Connect(t.Context(), os.Getenv("DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var back int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM events.events WHERE subject_id = 'ada'`).Scan(&back); err != nil || back > 0 {
		t.Errorf("%d events of the erased are back, %v", back, err)
	}
}
