package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	embedded "github.com/goals-tracker/tracker/modules/core/postgres/cluster"
	"github.com/goals-tracker/tracker/modules/core/postgres/migrate"
	"github.com/goals-tracker/tracker/modules/core/telemetry"
)

// database is the measured database: new, migrated, and gone after drop.
type database struct {
	*postgres.DB
	name string
	// server is a URL of the server's maintenance database.
	server string
	url    string
	// dir and cluster are those of a throw-away server.
	dir     string
	cluster *embedded.Cluster
}

func openDatabase(ctx context.Context, o Options) (*database, error) {
	d := &database{name: fmt.Sprintf("tracker_bench_%d_%d", time.Now().Unix(), os.Getpid())}
	if err := d.open(ctx, o); err != nil {
		return nil, errors.Join(err, d.drop(context.WithoutCancel(ctx)))
	}
	return d, nil
}

func (d *database) open(ctx context.Context, o Options) error {
	d.server = postgres.NormalizeURL(o.DatabaseURL)
	if d.server == "" {
		if err := d.startServer(ctx, o); err != nil {
			return err
		}
	}
	u, err := url.Parse(d.server)
	if err != nil || u.Scheme == "" {
		return errors.New("the database URL is not of the form postgresql://user@host:5432/name")
	}
	u.Path = "/" + d.name
	if err := d.onServer(ctx, "CREATE DATABASE "+d.name+" TEMPLATE template0"); err != nil {
		return fmt.Errorf("make a database to measure in (the login needs CREATEDB): %w", err)
	}
	d.url = u.String()
	if err := migrate.Up(ctx, d.url); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	d.DB, err = d.connect(ctx, nil)
	return err
}

// startServer runs an own PostgreSQL. Its account must be able to enter the
// folder, and an own one is what nobody else's files lie in.
func (d *database) startServer(ctx context.Context, o Options) (err error) {
	if d.dir, err = os.MkdirTemp("", "tracker-bench-"); err != nil {
		return fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	if err := os.Chmod(d.dir, 0o711); err != nil {
		return fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	d.cluster, err = embedded.Start(ctx, embedded.Config{
		DataDir: filepath.Join(d.dir, "data"), Binaries: o.Binaries, Database: "postgres", Logger: quiet(),
	})
	if err != nil {
		return err
	}
	d.server = d.cluster.URL("postgres")
	return nil
}

// connect opens the pools as the server does.
func (d *database) connect(ctx context.Context, tracer pgx.QueryTracer) (*postgres.DB, error) {
	return postgres.Open(ctx, postgres.Config{URL: d.url, StatementTimeout: statementTimeout, Tracer: tracer})
}

// statementTimeout is the server's default; PostgreSQL sets a timer for it, so
// pgbench has it too.
const statementTimeout = 30 * time.Second

func (d *database) pool() *pgxpool.Pool { return d.Pool() }

// settle leaves nothing for autovacuum to do, so that it does not work in the
// middle of a round.
func (d *database) settle(ctx context.Context) error {
	for _, sql := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		// A login that is no superuser may not checkpoint, and need not.
		if _, err := d.pool().Exec(ctx, sql); err != nil && sql != "CHECKPOINT" {
			return fmt.Errorf("settle the database: %w", err)
		}
	}
	return nil
}

func (d *database) onServer(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, d.server)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// drop removes whatever open made, even half of it.
func (d *database) drop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if d.DB != nil {
		d.Close()
	}
	var failed []error
	switch {
	case d.cluster != nil:
		failed = append(failed, d.cluster.Stop(ctx))
	case d.url != "":
		failed = append(failed, d.onServer(ctx, "DROP DATABASE IF EXISTS "+d.name+" WITH (FORCE)"))
	}
	if d.dir != "" {
		failed = append(failed, os.RemoveAll(d.dir))
	}
	return errors.Join(failed...)
}

// quiet is the server's logger, which formats each line and writes none.
func quiet() *slog.Logger {
	logger, err := telemetry.NewLogger(io.Discard, telemetry.DefaultConfig())
	if err != nil {
		return slog.New(slog.DiscardHandler)
	}
	return logger
}
