package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/goals-tracker/tracker/modules/core/auth"
)

// Queryer runs statements as somebody: *Tx does so inside a unit of work,
// DB.As outside of one. Stores take it and know no more of the database.
type Queryer interface {
	// Query runs a statement that answers with rows; close them before the next.
	Query(ctx context.Context, s *Statement, args Args) (pgx.Rows, error)
	// QueryRow runs a statement that answers with at most one row; Scan gives
	// pgx.ErrNoRows when there is none.
	QueryRow(ctx context.Context, s *Statement, args Args) pgx.Row
	// Exec runs a statement that answers with no rows.
	Exec(ctx context.Context, s *Statement, args Args) (pgconn.CommandTag, error)
}

// Tx is a transaction in a unit of work. It is for one goroutine. What it must
// say first (begin, idempotency row, role) waits and travels with the first
// statement, in one round trip.
type Tx struct {
	conn    *pgxpool.Conn
	call    Call
	pending pending
	// asked is whether a statement waits in pending, beside what comes first.
	asked bool
	// begun is whether the server has been told to begin.
	begun bool
	// keyed is the place of the idempotency row in pending, or -1.
	keyed    int
	replayed bool
	before   []func(context.Context, *Tx) error
	after    []func()
	values   map[any]any
	reply    []byte
	sealed   bool
}

// pending is what travels with the next statement.
type pending struct {
	pgx.Batch
	// explain makes errors of statements by their place.
	explain map[int]func(error) error
}

// Call is who asked for this unit of work, for whom.
func (tx *Tx) Call() Call { return tx.call }

// Actor is who acts.
func (tx *Tx) Actor() auth.Actor { return tx.call.Actor }

// BeforeCommit registers fn to run once, after the unit of work's own function
// and as the system: it is where buffered events and jobs are written. Hooks
// run in the order of their registration; one may register another.
func (tx *Tx) BeforeCommit(fn func(context.Context, *Tx) error) { tx.before = append(tx.before, fn) }

// AfterCommit registers fn to run after the commit; for wake-ups only, since a
// crash in between loses it.
func (tx *Tx) AfterCommit(fn func()) { tx.after = append(tx.after, fn) }

// Value is what SetValue stored under the key: a module's buffer for this unit of work.
func (tx *Tx) Value(key any) any { return tx.values[key] }

// SetValue stores a module's buffer for this unit of work.
func (tx *Tx) SetValue(key, value any) {
	if tx.values == nil {
		tx.values = map[any]any{}
	}
	tx.values[key] = value
}

// Seal stores the reply that a repeated call with the same idempotency key gets.
func (tx *Tx) Seal(reply []byte) { tx.reply, tx.sealed = reply, true }

// Become switches the role and subject for the statements that follow.
func (tx *Tx) Become(actor auth.Actor) { queueIdentity(&tx.pending.Batch, actor) }

// Query implements Queryer.
func (tx *Tx) Query(ctx context.Context, s *Statement, args Args) (pgx.Rows, error) {
	values, err := s.Bind(args)
	if err != nil {
		return nil, err
	}
	return tx.query(ctx, s.sql, values)
}

// QueryRow implements Queryer.
func (tx *Tx) QueryRow(ctx context.Context, s *Statement, args Args) pgx.Row {
	rows, err := tx.Query(ctx, s, args)
	return &row{rows: rows, err: err}
}

// Exec implements Queryer.
func (tx *Tx) Exec(ctx context.Context, s *Statement, args Args) (pgconn.CommandTag, error) {
	rows, err := tx.Query(ctx, s, args)
	if err != nil {
		return pgconn.CommandTag{}, fmt.Errorf("%s: %w", s.name, err)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return pgconn.CommandTag{}, fmt.Errorf("%s: %w", s.name, err)
	}
	return rows.CommandTag(), nil
}

// Later runs a statement whose answer nobody needs in the round trip of the
// next one, at the latest in the commit's. When it fails, the unit of work does,
// with what explain makes of the error (nil: the error itself).
func (tx *Tx) Later(s *Statement, args Args, explain func(error) error) error {
	values, err := s.Bind(args)
	if err != nil {
		return err
	}
	if tx.pending.explain == nil {
		tx.pending.explain = map[int]func(error) error{}
	}
	tx.pending.explain[tx.pending.Len()] = explain
	tx.pending.Queue(s.sql, values...)
	tx.asked = true
	return nil
}

// SendBatch runs many statements in one round trip.
func (tx *Tx) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if !tx.waiting() {
		return tx.conn.SendBatch(ctx, batch)
	}
	all := tx.takePending()
	first := all.Len()
	all.QueuedQueries = append(all.QueuedQueries, batch.QueuedQueries...)
	results := tx.conn.SendBatch(ctx, &all.Batch)
	if err := tx.readPending(results, first, all.explain); err != nil {
		_ = results.Close()
		return failedBatch{err}
	}
	return results
}

func (tx *Tx) query(ctx context.Context, sql string, values []any) (pgx.Rows, error) {
	if !tx.waiting() {
		return tx.conn.Query(ctx, sql, values...)
	}
	batch := tx.takePending()
	first := batch.Len()
	batch.Queue(sql, values...)
	results := tx.conn.SendBatch(ctx, &batch.Batch)
	if err := tx.readPending(results, first, batch.explain); err != nil {
		_ = results.Close()
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close() // frees the connection
		return nil, err
	}
	return &batchRows{Rows: rows, results: results}, nil
}

func (tx *Tx) waiting() bool { return tx.pending.Len() > 0 }

func (tx *Tx) takePending() *pending {
	batch := tx.pending
	tx.pending = pending{}
	return &batch
}

func (tx *Tx) readPending(results pgx.BatchResults, n int, explain map[int]func(error) error) error {
	for i := range n {
		_, err := results.Exec()
		if i == tx.keyed {
			tx.keyed = -1
			if isUniqueViolation(err) {
				tx.replayed = true
			}
		}
		if fn := explain[i]; err != nil && fn != nil {
			return fn(err)
		}
		if err != nil {
			return err
		}
		tx.begun = true
	}
	return nil
}

// flushPending sends what waits, for callers that need the connection itself.
func (tx *Tx) flushPending(ctx context.Context) error {
	if !tx.waiting() {
		return nil
	}
	return tx.SendBatch(ctx, &pgx.Batch{}).Close()
}

func isUniqueViolation(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "23505"
}
