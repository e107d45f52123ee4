package postgrestest_test

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func one[T any](t testing.TB, conn *pgx.Conn, query string, args ...any) T {
	t.Helper()
	var value T
	if err := conn.QueryRow(context.Background(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func TestEachTestGetsAMigratedDatabaseOfItsOwn(t *testing.T) {
	first, second := connect(t, postgrestest.URL(t)), connect(t, postgrestest.URL(t))
	if _, err := first.Exec(context.Background(), "CREATE TABLE mine ()"); err != nil {
		t.Fatal(err)
	}
	if one[bool](t, second, "SELECT to_regclass('mine') IS NOT NULL") {
		t.Error("a table of one database is visible in the other")
	}
	for _, what := range []string{"core.migrations", "river.river_job"} {
		if !one[bool](t, second, "SELECT to_regclass($1) IS NOT NULL", what) {
			t.Errorf("%s is missing: the database is not migrated", what)
		}
	}
	if !one[bool](t, second, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") {
		t.Error("the test user is no superuser")
	}
}

func TestAnEmptyDatabaseHasNoMigrations(t *testing.T) {
	conn := connect(t, postgrestest.Empty(t))
	if one[bool](t, conn, "SELECT to_regclass('core.migrations') IS NOT NULL") {
		t.Error("core.migrations exists")
	}
}

func TestTheDatabaseIsDroppedEvenWithConnectionsOpen(t *testing.T) {
	var name string
	t.Run("inner", func(t *testing.T) {
		conn, err := pgx.Connect(context.Background(), postgrestest.URL(t))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { go func() { _ = conn.Close(context.Background()) }() }() // after the drop, or during
		name = one[string](t, conn, "SELECT current_database()")
	})
	conn := connect(t, postgrestest.Empty(t))
	if one[int](t, conn, "SELECT count(*) FROM pg_database WHERE datname = $1", name) != 0 {
		t.Errorf("database %s is still there", name)
	}
}

func TestNoConnectionAndNoGoroutineIsLeftBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	var name string
	t.Run("inner", func(t *testing.T) {
		url := postgrestest.URL(t)
		cfg, err := pgx.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		name = cfg.Database
	})
	goleak.VerifyNone(t, before)
	conn := connect(t, postgrestest.Empty(t))
	if n := one[int](t, conn, "SELECT count(*) FROM pg_stat_activity WHERE datname = $1", name); n != 0 {
		t.Errorf("%d connections to %s are left", n, name)
	}
}

// Processes that start together, as `go test ./...` does, share one server and
// build the template once.
func TestProcessesThatStartTogetherShareServerAndTemplate(t *testing.T) {
	if os.Getenv("POSTGRESTEST_CHILD") != "" {
		connect(t, postgrestest.URL(t))
		return
	}
	if os.Getenv(postgrestest.ServerVariable) != "" {
		t.Setenv(postgrestest.ServerVariable, "") // the children start their own
	}
	dir, err := os.MkdirTemp("", "pgtest-share-") // t.TempDir's parent lets nobody else in
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := postgrestest.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
			cmd.Env = append(os.Environ(), "POSTGRESTEST_CHILD=1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("child: %v\n%s", err, out)
			}
		})
	}
	wg.Wait()
}

func BenchmarkClone(b *testing.B) {
	postgrestest.URL(b) // start the server and build the template first
	for b.Loop() {
		postgrestest.URL(b)
	}
}

func TestDBIsOpenDuringTheTestAndClosedAfter(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("inner", func(t *testing.T) {
		if err := postgrestest.DB(t).Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
	goleak.VerifyNone(t, before)
}
