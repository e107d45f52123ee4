package migrate

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/goals-tracker/tracker/migrations"
	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Migration is one step of the schema and whether this database has it.
type Migration struct {
	// Source is "tracker" for files of package migrations, "river" for the
	// job queue's own.
	Source string
	// Version orders the steps of one source.
	Version int64
	// Name is the file's name, or River's name of the step.
	Name string
	// AppliedAt is zero while the step is pending.
	AppliedAt time.Time
}

// Pending reports whether Up would apply the step.
func (m Migration) Pending() bool { return m.AppliedAt.IsZero() }

// Status lists all steps in the order of their application. It changes nothing,
// not even in an empty database.
func Status(ctx context.Context, url string) ([]Migration, error) {
	url = postgres.NormalizeURL(url)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect to read the migrations: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()

	own, err := applied(ctx, conn, table,
		"SELECT version_id, max(tstamp) AT TIME ZONE current_setting('TimeZone') FROM "+table+" WHERE version_id > 0 AND is_applied GROUP BY 1")
	if err != nil {
		return nil, err
	}
	var list []Migration
	err = withGoose(url, migrations.FS, func(p *goose.Provider) error {
		for _, source := range p.ListSources() {
			list = append(list, Migration{Source: "tracker", Version: source.Version,
				Name: path.Base(source.Path), AppliedAt: own[source.Version]})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}

	theirs, err := applied(ctx, conn, riverSchema+".river_migration",
		"SELECT version, created_at FROM "+riverSchema+".river_migration WHERE line = 'main'")
	if err != nil {
		return nil, err
	}
	river, err := riverMigrator(nil)
	if err != nil {
		return nil, err
	}
	for _, m := range river.AllVersions() {
		list = append(list, Migration{Source: "river", Version: int64(m.Version), Name: m.Name, AppliedAt: theirs[int64(m.Version)]})
	}
	return list, nil
}

// applied returns when each version was, empty when the record isn't there yet.
func applied(ctx context.Context, conn *pgx.Conn, table, query string) (map[int64]time.Time, error) {
	times := map[int64]time.Time{}
	if exists, err := tableExists(ctx, conn, table); err != nil || !exists {
		return times, err
	}
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	var version int64
	var at time.Time
	if _, err := pgx.ForEachRow(rows, []any{&version, &at}, func() error {
		times[version] = at
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read %s: %w", table, err)
	}
	return times, nil
}
