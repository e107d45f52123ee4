package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

// Snapshot reads log and folds as they were at one instant, as the system.
type Snapshot struct{ tx pgx.Tx }

var beSystem = postgres.SQL("events.snapshot.role", `
	SELECT set_config('role', 'tracker_system', true), set_config('TimeZone', 'UTC', true),
	       set_config('statement_timeout', '0', true)`)

// ReadSnapshot runs fn on one snapshot of the database. Keep it short: while it
// is open, nothing it might see can be vacuumed.
func ReadSnapshot(ctx context.Context, pool *pgxpool.Pool, fn func(Snapshot) error) error {
	return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, beSystem.Numbered()); err != nil {
			return fmt.Errorf("open snapshot: %w", err)
		}
		return fn(Snapshot{tx})
	})
}

// Gap is a stream whose events don't count up to its version.
type Gap struct {
	Stream                      string
	Version, Count, First, Last int64
}

var gaps = postgres.SQL("events.snapshot.gaps", `
	SELECT stream_id, coalesce(s.version, 0), coalesce(e.count, 0), coalesce(e.first, 0), coalesce(e.last, 0)
	FROM events.streams s
	FULL JOIN (SELECT stream_id, count(*) AS count, min(version) AS first, max(version) AS last
	           FROM events.events GROUP BY stream_id) e USING (stream_id)
	WHERE (s.version IS DISTINCT FROM e.count OR s.version IS DISTINCT FROM e.last OR e.first IS DISTINCT FROM 1)
	  AND NOT EXISTS (SELECT FROM events.erasures x WHERE x.subject_id = s.subject_id)
	ORDER BY stream_id LIMIT $1`)

// Gaps are streams whose events don't count from 1 to the stream's version, but
// for those of people who are being erased: theirs go bit by bit.
func (s Snapshot) Gaps(ctx context.Context, limit int) ([]Gap, error) {
	rows, err := s.tx.Query(ctx, gaps.Numbered(), limit)
	if err == nil {
		var all []Gap
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Gap]); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("compare streams with events: %w", err)
}

var streamPage = postgres.SQL("events.snapshot.streams", `
	SELECT stream_id FROM events.streams s
	WHERE stream_id > $2 AND stream_id > $1::text || ':' AND stream_id < $1::text || ';'
	  AND NOT EXISTS (SELECT FROM events.erasures x WHERE x.subject_id = s.subject_id)
	ORDER BY stream_id LIMIT $3`)

// Streams are names of streams of a type after one of them, in order, but for
// those of people who are being erased.
func (s Snapshot) Streams(ctx context.Context, streamType, after string, limit int) ([]string, error) {
	rows, err := s.tx.Query(ctx, streamPage.Numbered(), streamType, after, limit)
	if err == nil {
		var names []string
		if names, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
			return names, nil
		}
	}
	return nil, fmt.Errorf("list streams of type %s: %w", streamType, err)
}

var histories = postgres.SQL("events.snapshot.histories", `
	SELECT `+columns+` FROM events.events WHERE stream_id = ANY ($1) ORDER BY stream_id, version`)

// Histories are the events of streams, by stream and version.
func (s Snapshot) Histories(ctx context.Context, streams []string) ([]Record, error) {
	rows, err := s.tx.Query(ctx, histories.Numbered(), streams)
	if err == nil {
		var all []Record
		if all, err = pgx.CollectRows(rows, scanRecord); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("read histories: %w", err)
}

var keyType = postgres.SQL("events.snapshot.key", `
	SELECT format_type(atttypid, NULL) FROM pg_attribute
	WHERE attrelid = to_regclass($1) AND attname = $2 AND attnum > 0 AND NOT attisdropped`)

// FoldTable is a table of a fold, as SQL wants it.
type FoldTable struct{ table, key, keyType string }

// FoldTable looks a table of a fold up; name has its schema.
func (s Snapshot) FoldTable(ctx context.Context, name, key string) (t FoldTable, err error) {
	t = FoldTable{table: name, key: pgx.Identifier{key}.Sanitize()}
	if err = s.tx.QueryRow(ctx, keyType.Numbered(), name, key).Scan(&t.keyType); err != nil {
		return t, fmt.Errorf("look up column %s of table %s: %w", key, name, err)
	}
	return t, nil
}

// Row is a row of a fold as to_jsonb shows it, and the entity it is of.
type Row struct {
	Key  string
	JSON []byte
}

// Rows are the rows of some entities, by key.
func (s Snapshot) Rows(ctx context.Context, t FoldTable, ids []string) ([]Row, error) {
	rows, err := s.tx.Query(ctx, fmt.Sprintf(`SELECT t.%s::text, to_jsonb(t)::text FROM %s t WHERE t.%s = ANY ($1::text[]::%s[]) ORDER BY 1, 2`,
		t.key, t.table, t.key, t.keyType), ids)
	if err == nil {
		var all []Row
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Row]); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("read rows of %s: %w", t.table, err)
}

// Orphans are keys of rows that have no stream.
func (s Snapshot) Orphans(ctx context.Context, t FoldTable, streamType string, limit int) ([]string, error) {
	rows, err := s.tx.Query(ctx, fmt.Sprintf(`
		SELECT DISTINCT coalesce(t.%s::text, '') FROM %s t
		WHERE NOT EXISTS (SELECT FROM events.streams s WHERE s.stream_id = $1 || ':' || t.%s::text)
		ORDER BY 1 LIMIT $2`, t.key, t.table, t.key), streamType, limit)
	if err == nil {
		var all []string
		if all, err = pgx.CollectRows(rows, pgx.RowTo[string]); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("look for orphans in %s: %w", t.table, err)
}
