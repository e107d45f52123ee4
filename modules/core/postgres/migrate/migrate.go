// Package migrate brings a database to the schema of this binary: the SQL files
// of package migrations, run by goose, and River's own tables in the schema
// "river". Any number of replicas may call it at once; one works, the others
// wait and find nothing left to do.
//
// It needs a direct connection: a session lock doesn't survive a pooler in
// transaction mode.
package migrate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/goals-tracker/tracker/migrations"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

const (
	table       = "core.migrations"
	riverSchema = "river"

	// lockKey is the session advisory lock that all replicas take: "tracker"
	// in ASCII, so that it can be recognised in pg_locks.
	lockKey int64 = 0x00747261636b6572
)

// ErrNothingToUndo is returned by Down on a database without migrations.
var ErrNothingToUndo = errors.New("no migration is applied, there is nothing to undo")

// Up applies what is pending. Each file is one transaction, recorded with it:
// after an error the database is at the last whole file.
func Up(ctx context.Context, url string) error {
	url = postgres.NormalizeURL(url)
	return locked(ctx, url, func(ctx context.Context, conn *pgx.Conn) error {
		if err := whole(ctx, conn); err != nil {
			return err
		}
		// goose keeps its record in the schema, so that has to be there first.
		if _, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS core"); err != nil {
			return fmt.Errorf("create schema core: %w", explain(err))
		}
		if err := withGoose(url, migrations.FS, func(p *goose.Provider) error {
			if _, err := p.Up(ctx); err != nil {
				return fmt.Errorf("migrate: %w", explain(err))
			}
			return nil
		}); err != nil {
			return err
		}
		return riverUp(ctx, conn, url)
	})
}

// whole is an error when tables came without their policies. Roles belong to the
// server and are in no dump of a database: restored where they are missing, it has
// neither policies nor grants, and nobody reads anything.
func whole(ctx context.Context, conn *pgx.Conn) error {
	var tables int
	err := conn.QueryRow(ctx, `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname IN ('events', 'goals', 'tasks') AND c.relrowsecurity AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)`).Scan(&tables)
	if err != nil {
		return fmt.Errorf("look for policies: %w", err)
	}
	if tables > 0 {
		return fmt.Errorf("%d tables have lost the policies that keep people apart, as when a backup is restored on a server without the roles "+
			"tracker_user, tracker_teacher and tracker_system: make the roles, then restore into an empty database again (configs/README.md, Backup and restore)", tables)
	}
	return nil
}

// Down undoes the newest applied file. River's tables stay as they are.
func Down(ctx context.Context, url string) error {
	url = postgres.NormalizeURL(url)
	return locked(ctx, url, func(ctx context.Context, conn *pgx.Conn) error {
		if exists, err := tableExists(ctx, conn, table); err != nil || !exists {
			return errors.Join(err, ErrNothingToUndo)
		}
		return withGoose(url, migrations.FS, func(p *goose.Provider) error {
			_, err := p.Down(ctx)
			if errors.Is(err, goose.ErrNoNextVersion) {
				return ErrNothingToUndo
			}
			if err != nil {
				return fmt.Errorf("undo a migration: %w", explain(err))
			}
			return nil
		})
	})
}

// Fingerprint identifies the schema of this binary: it changes with any file
// here and with River's migrations.
func Fingerprint() (string, error) {
	sum := sha256.New()
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return "", fmt.Errorf("list migrations: %w", err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			return "", fmt.Errorf("read migration %s: %w", name, err)
		}
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	river, err := riverMigrator(nil)
	if err != nil {
		return "", err
	}
	for _, m := range river.AllVersions() {
		_, _ = fmt.Fprintf(sum, "river %d %d\n%s", m.Version, len(m.SQLUp), m.SQLUp)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// locked runs fn while this connection holds the lock. It asks again and again
// rather than wait inside the server: a waiting statement holds a snapshot, and
// CREATE INDEX CONCURRENTLY of the holder would wait for that.
func locked(ctx context.Context, url string, fn func(context.Context, *pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to migrate: %w", err)
	}
	// Closing the session gives the lock back.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for {
		var got bool
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lockKey).Scan(&got); err != nil {
			return fmt.Errorf("take the migration lock: %w", err)
		}
		if got {
			return fn(ctx, conn)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another replica's migrations: %w", context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func withGoose(url string, files fs.FS, fn func(*goose.Provider) error) (err error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}
	db := stdlib.OpenDB(*cfg)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(table), goose.WithDisableGlobalRegistry(true),
		// Each module counts within a band of its own numbers, and bands do not
		// depend on when another module last grew.
		goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	return fn(provider)
}

func riverMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{
		Schema: riverSchema, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, fmt.Errorf("read River's migrations: %w", err)
	}
	return migrator, nil
}

func riverUp(ctx context.Context, conn *pgx.Conn, url string) error {
	if _, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+riverSchema); err != nil {
		return fmt.Errorf("create schema %s: %w", riverSchema, explain(err))
	}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}
	cfg.MinConns, cfg.MinIdleConns, cfg.MaxConns = 0, 0, 2
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("connect to migrate River: %w", err)
	}
	defer pool.Close()
	migrator, err := riverMigrator(pool)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate River: %w", explain(err))
	}
	// Jobs are inserted and worked under the system role only.
	const grants = `
		GRANT USAGE ON SCHEMA river TO tracker_system;
		GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA river TO tracker_system;
		GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA river TO tracker_system;`
	if _, err := conn.Exec(ctx, grants); err != nil {
		return fmt.Errorf("grant River's tables to tracker_system: %w", explain(err))
	}
	return nil
}

// explain adds the server's hint, which tells what to do.
func explain(err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Hint != "" {
		return fmt.Errorf("%w. %s", err, pgErr.Hint)
	}
	return err
}

func tableExists(ctx context.Context, conn *pgx.Conn, name string) (bool, error) {
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", name).Scan(&exists); err != nil {
		return false, fmt.Errorf("look for table %s: %w", name, err)
	}
	return exists, nil
}
