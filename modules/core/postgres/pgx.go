package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PGX is the transaction as a pgx.Tx, for libraries that bring their own
// statements (River). Its Commit and Rollback are refused: the unit of work
// ends the transaction.
func (tx *Tx) PGX(ctx context.Context) (pgx.Tx, error) {
	if err := tx.flushPending(ctx); err != nil {
		return nil, err
	}
	return foreignTx{tx}, nil
}

var errNotYours = errors.New("the unit of work ends this transaction")

type foreignTx struct{ tx *Tx }

func (f foreignTx) Begin(ctx context.Context) (pgx.Tx, error) {
	if _, err := f.tx.conn.Exec(ctx, "SAVEPOINT foreign_tx"); err != nil {
		return nil, err
	}
	return savepoint{f}, nil
}
func (f foreignTx) Commit(context.Context) error   { return errNotYours }
func (f foreignTx) Rollback(context.Context) error { return errNotYours }
func (f foreignTx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	return f.tx.conn.Conn().CopyFrom(ctx, table, columns, src)
}
func (f foreignTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return f.tx.conn.SendBatch(ctx, b)
}
func (f foreignTx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }
func (f foreignTx) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return f.tx.conn.Conn().Prepare(ctx, name, sql)
}
func (f foreignTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return f.tx.conn.Exec(ctx, sql, args...)
}
func (f foreignTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return f.tx.conn.Query(ctx, sql, args...)
}
func (f foreignTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return f.tx.conn.QueryRow(ctx, sql, args...)
}
func (f foreignTx) Conn() *pgx.Conn { return f.tx.conn.Conn() }

type savepoint struct{ foreignTx }

func (s savepoint) Commit(ctx context.Context) error {
	_, err := s.tx.conn.Exec(ctx, "RELEASE SAVEPOINT foreign_tx")
	return err
}

func (s savepoint) Rollback(ctx context.Context) error {
	_, err := s.tx.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT foreign_tx")
	return err
}
