package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/postgres/cluster"
	"github.com/goals-tracker/tracker/modules/core/postgres/migrate"
)

// database is the configured database, or an own PostgreSQL in the data folder.
type database struct {
	*postgres.DB
	url string
	// direct is past a pooler, for what needs a session: migrations.
	direct  string
	cluster *cluster.Cluster
	logger  *slog.Logger
}

// openServer finds or starts the database server and says how to reach it.
func openServer(ctx context.Context, cfg Config, logger *slog.Logger) (*database, error) {
	if url := cfg.Database.URL.Reveal(); url != "" {
		return &database{url: postgres.NormalizeURL(url), direct: directURL(cfg.Database), logger: logger}, nil
	}
	c, err := cluster.Start(ctx, cluster.Config{DataDir: cfg.DataDir, Binaries: cfg.Database.Binaries, Logger: logger})
	if err != nil {
		return nil, err
	}
	return &database{url: c.URL(""), direct: c.URL(""), cluster: c, logger: logger}, nil
}

// directURL leads past a pooler; "" when there is one and no way past it.
func directURL(cfg DatabaseConfig) string {
	switch {
	case cfg.MigrateURL != "":
		return postgres.NormalizeURL(cfg.MigrateURL.Reveal())
	case cfg.Pooler == postgres.TransactionPooler:
		return ""
	}
	return postgres.NormalizeURL(cfg.URL.Reveal())
}

// errNoWayPast: migrations take a lock of a session, which a pooler in
// transaction mode gives to somebody else.
var errNoWayPast = errors.New("database.pooler is transaction, and migrations need a connection past the pooler: set database.migrate_url to one, or database.migrate to false and run `tracker migrate up` where there is one")

// openDatabase opens the database, migrated.
func openDatabase(ctx context.Context, cfg Config, logger *slog.Logger) (*database, error) {
	d, err := openServer(ctx, cfg, logger)
	if err != nil {
		return nil, err
	}
	if cfg.Database.Migrate {
		err := errNoWayPast
		if d.direct != "" {
			err = migrate.Up(ctx, d.direct)
		}
		if err != nil {
			d.Close(ctx)
			return nil, unreachable(fmt.Errorf("migrate the database: %w", err), "DATABASE_URL (database.url)")
		}
	}
	d.DB, err = postgres.Open(ctx, postgres.Config{
		URL: d.url, MaxConns: cfg.Database.MaxConns, SystemConns: cfg.Database.SystemConns,
		StatementTimeout: cfg.Database.StatementTimeout, Pooler: cfg.Database.Pooler, Logger: logger,
	})
	if err != nil {
		d.Close(ctx)
		return nil, unreachable(err, "DATABASE_URL (database.url)")
	}
	return d, nil
}

// unreachable says in one line, and without a password, why there is no talking
// to the database that a setting names; other errors stay.
func unreachable(err error, setting string) error {
	var unread *pgconn.ParseConfigError
	if errors.As(err, &unread) {
		return errors.New(setting + " can't be read: write postgresql://user:password@host:5432/database, with %xx for special characters of user and password")
	}
	var failed *pgconn.ConnectError
	if !errors.As(err, &failed) {
		return err
	}
	var said *pgconn.PgError
	var noName *net.DNSError
	var network *net.OpError
	why := "no answer in time"
	switch {
	case errors.As(err, &said):
		why = said.Message
	case errors.As(err, &noName):
		why = "there is no host of that name"
	case errors.As(err, &network):
		why = network.Err.Error()
	}
	c := failed.Config
	return fmt.Errorf("database %q at %s can't be reached as %q: %s; check %s",
		c.Database, net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), c.User, why, setting)
}

// Close ends the connections, and the own server when this process owns it. It
// does so even when ctx has ended.
func (d *database) Close(ctx context.Context) {
	if d.DB != nil {
		d.DB.Close()
	}
	if d.cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := d.cluster.Stop(ctx); err != nil {
		d.logger.Warn("the embedded PostgreSQL did not stop cleanly; the next start recovers it", "error", err)
	}
}
