package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxvector "github.com/pgvector/pgvector-go/pgx"

	"github.com/goals-tracker/tracker/modules/core/auth"
)

// Config is how to reach the database.
type Config struct {
	// URL is a postgresql:// URL or a keyword string. Required. The reference's
	// postgresql+asyncpg:// is understood.
	URL string
	// MaxConns bounds the connections for requests. Defaults to 20.
	MaxConns int32
	// SystemConns bounds the connections for jobs. Defaults to 10.
	SystemConns int32
	// StatementTimeout ends a statement that runs longer. Defaults to 30 s.
	StatementTimeout time.Duration
	// Pooler is what stands between here and the server. Defaults to NoPooler.
	Pooler Pooler
	// Tracer hears of each statement; for measurements. Defaults to none.
	Tracer pgx.QueryTracer
	// Logger defaults to slog.Default().
	Logger *slog.Logger
}

// DB is the migrated database.
type DB struct {
	pool   *pgxpool.Pool
	system *pgxpool.Pool
	url    string
	pooler Pooler
	// timeout ends a statement, where a pooler lets it travel with each
	// transaction only; 0 where the session has it.
	timeout time.Duration
}

// NormalizeURL reads the reference's SQLAlchemy URLs as libpq URLs.
func NormalizeURL(url string) string {
	for _, prefix := range []string{"postgresql+asyncpg://", "postgresql+psycopg2://", "postgresql+psycopg://", "postgres+asyncpg://"} {
		if rest, ok := strings.CutPrefix(url, prefix); ok {
			return "postgresql://" + rest
		}
	}
	return url
}

// Open connects to a database that has been migrated. It fails where the login
// role can't take the roles that row-level security rests on, and names what
// an operator must grant.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	url := NormalizeURL(cfg.URL)
	if err := cfg.Pooler.Check(); err != nil {
		return nil, err
	}
	if cfg.StatementTimeout == 0 {
		cfg.StatementTimeout = 30 * time.Second
	}
	pool, err := open(ctx, url, orDefault(cfg.MaxConns, 20), cfg, "")
	if err != nil {
		return nil, err
	}
	system, err := open(ctx, url, orDefault(cfg.SystemConns, 10), cfg, "tracker_system")
	if err != nil {
		pool.Close()
		return nil, err
	}
	db := &DB{pool: pool, system: system, url: url, pooler: cfg.Pooler}
	if db.Pooled() {
		db.timeout = cfg.StatementTimeout
	}
	for _, check := range []func(context.Context) error{
		func(ctx context.Context) error { return db.checkSession(ctx, cfg.StatementTimeout) }, db.checkRoles,
	} {
		if err := check(ctx); err != nil {
			db.Close()
			return nil, err
		}
	}
	return db, nil
}

func open(ctx context.Context, url string, conns int32, cfg Config, role string) (*pgxpool.Pool, error) {
	pc, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read DATABASE_URL: %w", redact(err))
	}
	pc.MaxConns = conns
	pc.ConnConfig.Tracer = cfg.Tracer
	params := pc.ConnConfig.RuntimeParams
	params["application_name"] = "tracker"
	if cfg.Pooler == TransactionPooler {
		withoutSession(pc)
	} else {
		params["statement_timeout"] = fmt.Sprint(cfg.StatementTimeout.Milliseconds())
		params["idle_in_transaction_session_timeout"] = fmt.Sprint(idleInTransaction.Milliseconds())
		if role != "" {
			params["role"] = role
		}
	}
	pc.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if err := pgxvector.RegisterTypes(ctx, conn); err != nil {
			return fmt.Errorf("register pgvector types (run `tracker migrate up` first): %w", err)
		}
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", redact(err))
	}
	return pool, nil
}

// checkRoles proves that statements will really run under each role.
func (db *DB) checkRoles(ctx context.Context) error {
	for _, role := range []string{"tracker_user", "tracker_teacher", "tracker_system"} {
		var is string
		var super, bypass bool
		var batch pgx.Batch
		batch.Queue("SELECT set_config('role', $1, true)", role)
		batch.Queue("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
		results := db.pool.SendBatch(ctx, &batch)
		_, err := results.Exec()
		if err == nil {
			err = results.QueryRow().Scan(&is, &super, &bypass)
		}
		if closeErr := results.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return fmt.Errorf("the database login can't take the role %s, so rows could not be kept apart; run `tracker migrate up`, then GRANT %s TO the login role: %w", role, role, err)
		}
		if is != role || super || bypass {
			return fmt.Errorf("statements run as %q (superuser %t, bypassrls %t) instead of %s, so rows could not be kept apart; ALTER ROLE %s NOSUPERUSER NOBYPASSRLS", is, super, bypass, role, role)
		}
	}
	return db.checkJobs(ctx)
}

// Close ends all connections.
func (db *DB) Close() {
	db.pool.Close()
	db.system.Close()
}

// URL is how the database was reached, for parts that need a connection of
// their own (LISTEN). It may hold a password: never log it.
func (db *DB) URL() string { return db.url }

// Pool is the pool of the login role; only for the log's tailer and health checks.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// SystemPool is a pool whose connections are tracker_system from the start, for
// River, which brings its own statements. Behind a pooler in transaction mode no
// connection keeps a role: there they are the login's, which inherits its rights.
func (db *DB) SystemPool() *pgxpool.Pool { return db.system }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.pool.Ping(ctx) }

// As runs single statements with an actor's rights, each in one round trip and
// a transaction of its own. For reads; mutations belong into InTx.
func (db *DB) As(actor auth.Actor) Queryer { return single{db, actor} }

type single struct {
	db    *DB
	actor auth.Actor
}

func (q single) Query(ctx context.Context, s *Statement, args Args) (pgx.Rows, error) {
	values, err := s.Bind(args)
	if err != nil {
		return nil, err
	}
	var batch pgx.Batch
	q.db.queueLimits(&batch)
	queueIdentity(&batch, q.actor)
	first := batch.Len()
	batch.Queue(s.sql, values...)
	results := q.db.pool.SendBatch(ctx, &batch)
	for range first {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close() // frees the connection
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return &batchRows{Rows: rows, results: results}, nil
}

func (q single) QueryRow(ctx context.Context, s *Statement, args Args) pgx.Row {
	rows, err := q.Query(ctx, s, args)
	return &row{rows: rows, err: err}
}

func (q single) Exec(ctx context.Context, s *Statement, args Args) (pgconn.CommandTag, error) {
	rows, err := q.Query(ctx, s, args)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return pgconn.CommandTag{}, fmt.Errorf("%s: %w", s.name, err)
	}
	return rows.CommandTag(), nil
}

func orDefault(n, fallback int32) int32 {
	if n == 0 {
		return fallback
	}
	return n
}

// redact keeps a connection string with its password out of errors.
func redact(err error) error {
	text := err.Error()
	if at := strings.Index(text, "://"); at >= 0 {
		if end := strings.IndexByte(text[at:], '@'); end > 0 {
			return fmt.Errorf("%s://…%s", text[:at], text[at+end:])
		}
	}
	return err
}
