package migrate_test

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/goals-tracker/tracker/migrations"
	"github.com/goals-tracker/tracker/modules/core/postgres/migrate"
	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func value[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) (v T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func up(t *testing.T, url string) {
	t.Helper()
	if err := migrate.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
}

func status(t *testing.T, url string) []migrate.Migration {
	t.Helper()
	list, err := migrate.Status(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestUpAppliesEveryFileAndRiverAndIsIdempotent(t *testing.T) {
	url := postgrestest.Empty(t)
	before := status(t, url)
	if len(before) < 2 || !slices.ContainsFunc(before, func(m migrate.Migration) bool { return m.Source == "river" }) {
		t.Fatalf("status lists %v", before)
	}
	for _, m := range before {
		if !m.Pending() {
			t.Errorf("%s is applied in an empty database", m.Name)
		}
	}
	up(t, url)
	first := status(t, url)
	for _, m := range first {
		if m.Pending() {
			t.Errorf("%s is pending after Up", m.Name)
		} else if age := time.Since(m.AppliedAt); age < -time.Minute || age > 10*time.Minute {
			t.Errorf("%s was applied %s ago", m.Name, age)
		}
	}
	up(t, url)
	if second := status(t, url); !slices.EqualFunc(first, second, func(a, b migrate.Migration) bool {
		return a.Name == b.Name && a.AppliedAt.Equal(b.AppliedAt)
	}) {
		t.Error("a second Up applied something again")
	}
}

func TestStatusOfAnEmptyDatabaseCreatesNothing(t *testing.T) {
	url := postgrestest.Empty(t)
	status(t, url)
	if n := value[int](t, connect(t, url), "SELECT count(*) FROM pg_namespace WHERE nspname IN ('core', 'river')"); n != 0 {
		t.Errorf("%d schemas exist after Status", n)
	}
}

func TestReplicasThatMigrateAtOnceDoNotCollide(t *testing.T) {
	url := postgrestest.Empty(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := migrate.Up(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	const twice = "SELECT count(*) - count(DISTINCT version_id) FROM core.migrations"
	if n := value[int](t, connect(t, url), twice); n != 0 {
		t.Errorf("%d files were applied twice", n)
	}
}

// Roles belong to the cluster: databases that are migrated at the same moment
// meet there, past any lock inside one of them.
func TestDatabasesOfOneClusterMigrateAtTheSameTime(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		url := postgrestest.Empty(t)
		wg.Go(func() {
			if err := migrate.Up(t.Context(), url); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestAWaitingReplicaGivesUpWithItsContext(t *testing.T) {
	url := postgrestest.Empty(t)
	holder := connect(t, url)
	execute(t, holder, "SELECT pg_advisory_lock(x'00747261636b6572'::bigint)")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := migrate.Up(ctx, url); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Up returned %v while another session holds the lock", err)
	}
}

func TestDownUndoesFileAfterFileAndUpRestoresThem(t *testing.T) {
	url := postgrestest.URL(t)
	files := countApplied(status(t, url))
	for left := files; left > 0; left-- {
		if err := migrate.Down(t.Context(), url); err != nil {
			t.Fatalf("with %d files applied: %v", left, err)
		}
		if got := countApplied(status(t, url)); got != left-1 {
			t.Fatalf("%d files are applied after one step down from %d", got, left)
		}
	}
	if err := migrate.Down(t.Context(), url); !errors.Is(err, migrate.ErrNothingToUndo) {
		t.Errorf("one step more returned %v", err)
	}
	up(t, url)
	if got := countApplied(status(t, url)); got != files {
		t.Errorf("%d of %d files came back", got, files)
	}
	if err := migrate.Down(t.Context(), postgrestest.Empty(t)); !errors.Is(err, migrate.ErrNothingToUndo) {
		t.Errorf("Down of an empty database returned %v", err)
	}
}

func countApplied(list []migrate.Migration) (n int) {
	for _, m := range list {
		if m.Source == "tracker" && !m.Pending() {
			n++
		}
	}
	return n
}

func TestTheRolesCanDoNothingByThemselvesAndTheLoginRoleCanTakeThem(t *testing.T) {
	conn := connect(t, postgrestest.URL(t))
	for _, role := range []string{"tracker_user", "tracker_teacher", "tracker_system"} {
		if value[bool](t, conn, "SELECT rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = $1", role) {
			t.Errorf("%s may log in or pass by row-level security", role)
		}
		execute(t, conn, "SET ROLE "+role)
		if value[string](t, conn, "SELECT current_user") != role {
			t.Errorf("SET ROLE %s had no effect", role)
		}
		execute(t, conn, "RESET ROLE")
	}
	execute(t, conn, "SET ROLE tracker_user")
	if _, err := conn.Exec(t.Context(), "SELECT FROM river.river_job"); err == nil {
		t.Error("tracker_user can read the job queue")
	}
	execute(t, conn, "SET ROLE tracker_system")
	execute(t, conn, "SELECT FROM river.river_job")
}

func TestTheActorIsTheTransactionsSubjectOrNobody(t *testing.T) {
	conn := connect(t, postgrestest.URL(t))
	const actor = "SELECT coalesce(core.actor_id(), 'nobody')"
	if got := value[string](t, conn, actor); got != "nobody" {
		t.Errorf("without a subject the actor is %s", got)
	}
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	execute(t, conn, "SET LOCAL ROLE tracker_user")
	execute(t, conn, "SELECT set_config('tracker.subject', 'user-7', true)")
	if got := value[string](t, conn, actor); got != "user-7" {
		t.Errorf("the actor is %s", got)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	// After a transaction the setting is an empty string, not unset.
	if got := value[string](t, conn, actor); got != "nobody" {
		t.Errorf("after the transaction the actor is %s", got)
	}
}

func TestALoginRoleWithoutRightsIsToldWhatASuperuserMustRun(t *testing.T) {
	url := postgrestest.Empty(t)
	conn := connect(t, url)
	role := "limited_" + conn.Config().Database
	execute(t, conn, "CREATE ROLE "+role+" LOGIN")
	t.Cleanup(func() {
		_, err := conn.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role)
		if err != nil {
			t.Error(err)
		}
	})
	execute(t, conn, "GRANT CREATE ON DATABASE "+conn.Config().Database+" TO "+role)
	// Same session rights as a login of that role, whatever the server's pg_hba.
	err := migrate.Up(t.Context(), withOptions(url, "-c role="+role))
	if err == nil || !strings.Contains(err.Error(), "GRANT tracker_user TO "+role) {
		t.Errorf("Up returned %v", err)
	}
}

func withOptions(url, options string) string {
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	return url + separator + "options=" + strings.NewReplacer(" ", "%20", "=", "%3D").Replace(options)
}

func TestTheFingerprintIsTheSameEachTime(t *testing.T) {
	first, err := migrate.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	second, err := migrate.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	if first != second || len(first) != 64 {
		t.Errorf("fingerprints %s and %s", first, second)
	}
}

func TestEveryFileIsNamedByNumberModuleAndSubject(t *testing.T) {
	pattern := regexp.MustCompile(`^(\d{5})_(core|events|academy|llm|goals|tasks|validation|rag|analytics|agents|realtime|mcp|web)_[a-z0-9_]+\.sql$`)
	files, err := fs.Glob(migrations.FS, "*")
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]string{}
	for _, file := range files {
		match := pattern.FindStringSubmatch(file)
		if match == nil {
			t.Errorf("%s is not named NNNNN_<module>_<what>.sql", file)
			continue
		}
		if other := numbers[match[1]]; other != "" {
			t.Errorf("%s and %s have the same number", other, file)
		}
		numbers[match[1]] = file
		text, err := fs.ReadFile(migrations.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "-- +goose Down") {
			t.Errorf("%s can't be undone: it has no Down", file)
		}
	}
}

// While replicas are replaced one by one, or a release is taken back, a program
// starts on a database that a newer one has migrated.
func TestAProgramStartsOnADatabaseThatANewerOneHasMigrated(t *testing.T) {
	url := postgrestest.URL(t)
	execute(t, connect(t, url), "INSERT INTO core.migrations (version_id, is_applied) VALUES (99999, true)")
	up(t, url)
	for _, m := range status(t, url) {
		if m.AppliedAt.IsZero() {
			t.Errorf("%+v", m)
		}
	}
}

// A dump has no roles: restored where they are missing, pg_restore goes on without
// the policies and grants that name them.
func TestADatabaseThatWasRestoredWithoutItsRolesIsNotMigrated(t *testing.T) {
	url := postgrestest.URL(t)
	up(t, url)
	conn := connect(t, url)
	execute(t, conn, `DO $$ DECLARE p record; BEGIN
		FOR p IN SELECT policyname, schemaname, tablename FROM pg_policies LOOP EXECUTE format('DROP POLICY %I ON %I.%I', p.policyname, p.schemaname, p.tablename); END LOOP;
	END $$`)
	err := migrate.Up(t.Context(), url)
	if err == nil || !strings.Contains(err.Error(), "restored on a server without the roles tracker_user, tracker_teacher and tracker_system") {
		t.Errorf("got %v", err)
	}
}
