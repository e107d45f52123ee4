package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/goals-tracker/tracker/modules/core/postgres/migrate"
)

const (
	databasePrefix = "tracker_test_"
	templatePrefix = "tracker_template_"

	// buildLock is the advisory lock of the one that builds a template.
	buildLock int64 = 0x7472616374657374

	// strategy copies files instead of logging each page: see BenchmarkClone.
	strategy = "FILE_COPY"

	// unused is how long a template or a database may lie about: longer than
	// the longest test run.
	unused = time.Hour
)

// clone creates the database from the template, building that when it isn't
// there or another process found it unused and dropped it.
func clone(ctx context.Context, server, name string) error {
	fingerprint, err := migrate.Fingerprint()
	if err != nil {
		return err
	}
	template := templatePrefix + fingerprint[:16]
	for try := 0; ; try++ {
		err := withConn(ctx, server, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY "+strategy)
			return err
		})
		var pgErr *pgconn.PgError
		missing := errors.As(err, &pgErr) && pgErr.Code == "3D000" // invalid_catalog_name
		if err == nil || !missing || try == 3 {
			return err
		}
		if err := withConn(ctx, server, func(conn *pgx.Conn) error {
			return build(ctx, conn, server, template)
		}); err != nil {
			return fmt.Errorf("build template %s: %w", template, err)
		}
	}
}

// build makes the template unless another process did so meanwhile. It gets its
// name when it is whole, so that nobody clones half a schema.
func build(ctx context.Context, conn *pgx.Conn, server, template string) error {
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", buildLock); err != nil {
		return err
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", buildLock) }()

	var exists bool
	err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", template).Scan(&exists)
	if err != nil || exists {
		return err
	}
	if err := sweep(ctx, conn); err != nil {
		return err
	}
	unfinished := template + "_new"
	if err := execAll(ctx, conn,
		"DROP DATABASE IF EXISTS "+unfinished+" WITH (FORCE)",
		"CREATE DATABASE "+unfinished+" TEMPLATE template0",
	); err != nil {
		return err
	}
	url, err := databaseURL(server, unfinished)
	if err != nil {
		return err
	}
	if err := migrate.Up(ctx, url); err != nil {
		return err
	}
	return execAll(ctx, conn,
		// A connected session would make every clone fail.
		"ALTER DATABASE "+unfinished+" ALLOW_CONNECTIONS false",
		fmt.Sprintf("COMMENT ON DATABASE %s IS '%d'", unfinished, time.Now().Unix()),
		"ALTER DATABASE "+unfinished+" RENAME TO "+template,
	)
}

func execAll(ctx context.Context, conn *pgx.Conn, statements ...string) error {
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// sweep drops what killed processes and older schemas left. It runs when a
// template is built: that is when rubbish comes to be.
func sweep(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		SELECT d.datname, coalesce(shobj_description(d.oid, 'pg_database'), '')
		FROM pg_database d
		WHERE (starts_with(d.datname, $1) OR starts_with(d.datname, $2))
		  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)`,
		databasePrefix, templatePrefix)
	if err != nil {
		return err
	}
	var old []string
	var name, comment string
	if _, err := pgx.ForEachRow(rows, []any{&name, &comment}, func() error {
		born := comment
		if rest, ok := strings.CutPrefix(name, databasePrefix); ok {
			born, _, _ = strings.Cut(rest, "_")
		}
		if seconds, err := strconv.ParseInt(born, 10, 64); err == nil && time.Since(time.Unix(seconds, 0)) > unused {
			old = append(old, name)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, name := range old {
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("drop unused %s: %w", name, err)
		}
	}
	return nil
}
