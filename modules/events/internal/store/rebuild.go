package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var lockStream = postgres.SQL("events.streams.lock", `
	SELECT version FROM events.streams WHERE stream_id = @stream FOR UPDATE`)

var readHistory = postgres.SQL("events.streams.history", `
	SELECT `+columns+` FROM events.events WHERE stream_id = @stream ORDER BY version`)

// LockRows locks the rows of an entity in a fold's table. Writers lock them
// before the stream; who rebuilds does as they do, or they would deadlock.
func LockRows(ctx context.Context, tx *postgres.Tx, t FoldTable, id string) error {
	raw, err := tx.PGX(ctx)
	if err == nil {
		_, err = raw.Exec(ctx, fmt.Sprintf(`SELECT FROM %s WHERE %s = $1::text::%s FOR UPDATE`, t.table, t.key, t.keyType), id)
	}
	if err != nil {
		return fmt.Errorf("lock rows of %s in %s: %w", id, t.table, err)
	}
	return nil
}

// LockedHistory is a stream's history; nobody appends to it until the
// transaction ends.
func LockedHistory(ctx context.Context, tx *postgres.Tx, stream string) ([]Record, error) {
	if _, err := tx.Exec(ctx, lockStream, postgres.Args{"stream": stream}); err != nil {
		return nil, fmt.Errorf("lock stream %s: %w", stream, err)
	}
	rows, err := tx.Query(ctx, readHistory, postgres.Args{"stream": stream})
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", stream, err)
	}
	records, err := pgx.CollectRows(rows, scanRecord)
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", stream, err)
	}
	return records, nil
}
