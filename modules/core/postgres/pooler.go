package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Pooler is what stands between this program and the database.
type Pooler string

const (
	// NoPooler says that connections are sessions of the server, or of a pooler in session
	// mode.
	NoPooler Pooler = "none"
	// TransactionPooler gives a connection to somebody else after each transaction,
	// as PgBouncer does with pool_mode=transaction. Nothing may then rest on the
	// session: hints come by polling a table instead of LISTEN, statements have no
	// names, roles and time limits are set by each transaction.
	TransactionPooler Pooler = "transaction"
)

// Check refuses what is neither; empty is NoPooler.
func (p Pooler) Check() error {
	switch p {
	case "", NoPooler, TransactionPooler:
		return nil
	}
	return fmt.Errorf("database.pooler is %q: use none, or transaction for a pooler in transaction mode", string(p))
}

// idleInTransaction ends a transaction that nobody goes on with.
const idleInTransaction = time.Minute

// Pooled reports whether a connection may be another session's by the next
// transaction.
func (db *DB) Pooled() bool { return db.pooler == TransactionPooler }

// withoutSession keeps a connection from resting on its session. A statement is
// parsed again each time under no name, in the round trip that runs it: only its
// description is remembered here, which holds on every session. QueryExecModeExec
// would save the first round trip, but it guesses types from Go's, and wrong for
// vectors, JSON and arrays. Poolers refuse settings at the start that they don't
// know, so timeouts travel with transactions.
func withoutSession(pc *pgxpool.Config) {
	pc.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	pc.ConnConfig.StatementCacheCapacity = 0
}

// checkSession proves that connections are sessions with the settings that they
// began with, where no pooler is said to stand in between.
func (db *DB) checkSession(ctx context.Context, timeout time.Duration) error {
	const advice = "; if a pooler such as PgBouncer stands in between, set database.pooler: transaction"
	var role, limit string
	err := db.system.QueryRow(ctx, "SELECT current_user, setting FROM pg_settings WHERE name = 'statement_timeout'").Scan(&role, &limit)
	switch {
	case err != nil && strings.Contains(err.Error(), "unsupported startup parameter"):
		return fmt.Errorf("the database takes no settings of a session%s: %s", advice, said(err))
	case err != nil && connecting(err):
		return fmt.Errorf("connect to the database: %w", err)
	case err != nil || db.Pooled():
		return nil //nolint:nilerr // of rights: the roles are looked at next, and what to grant is said
	case role != "tracker_system" || limit != fmt.Sprint(timeout.Milliseconds()):
		return fmt.Errorf("the settings of a session got lost on the way to the database: it runs as %s with a statement_timeout of %s ms%s", role, limit, advice)
	}
	return nil
}

// said is what the server said, without what was tried before.
func said(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Message
	}
	return err.Error()
}

// connecting tells a database that can't be reached from one that refuses a role.
func connecting(err error) bool {
	var dial *pgconn.ConnectError
	if !errors.As(err, &dial) {
		return false
	}
	var said *pgconn.PgError
	return !errors.As(err, &said) || said.Code != "22023" && said.Code != "42501" && said.Code != "42704"
}

var setLimits = SQL("core.limits", `
	SELECT set_config('statement_timeout', @statement, true), set_config('idle_in_transaction_session_timeout', @idle, true)`)

// queueLimits sets the time limits until the end of the transaction, where the
// session can't have them.
func (db *DB) queueLimits(batch *pgx.Batch) {
	if db.timeout > 0 {
		batch.Queue(setLimits.sql, fmt.Sprint(db.timeout.Milliseconds()), fmt.Sprint(idleInTransaction.Milliseconds()))
	}
}

// checkJobs proves that the login may work the tables of jobs, where it must do
// so without changing its role.
func (db *DB) checkJobs(ctx context.Context) error {
	if !db.Pooled() {
		return nil
	}
	var login string
	var may bool
	err := db.pool.QueryRow(ctx, `
		SELECT current_user, coalesce((
		    SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
		       AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
		    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		    WHERE n.nspname = 'river' AND c.relname = 'river_job'), true)`).Scan(&login, &may)
	if err != nil {
		return fmt.Errorf("look at the rights on jobs: %w", err)
	}
	if !may {
		return fmt.Errorf("behind a pooler in transaction mode jobs are worked as the login role, and %s inherits no rights on them; ALTER ROLE %s INHERIT, and on PostgreSQL 16 or newer GRANT tracker_system TO %s WITH INHERIT TRUE", login, login, login)
	}
	return nil
}
