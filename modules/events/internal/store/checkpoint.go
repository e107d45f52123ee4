package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var makeCheckpoint = postgres.SQL("events.checkpoints.make", `
	INSERT INTO events.checkpoints (subscription, position) VALUES (@subscription, @position)
	ON CONFLICT (subscription) DO NOTHING`)

var readCheckpoint = postgres.SQL("events.checkpoints.read", `
	SELECT position FROM events.checkpoints WHERE subscription = @subscription`)

// Checkpoint is where a subscription stands; it is made at start when there is none.
func Checkpoint(ctx context.Context, q postgres.Queryer, subscription string, start int64) (position int64, err error) {
	if _, err = q.Exec(ctx, makeCheckpoint, postgres.Args{"subscription": subscription, "position": start}); err == nil {
		err = q.QueryRow(ctx, readCheckpoint, postgres.Args{"subscription": subscription}).Scan(&position)
	}
	if err != nil {
		return 0, fmt.Errorf("read checkpoint of %s: %w", subscription, err)
	}
	return position, nil
}

var lockCheckpoint = postgres.SQL("events.checkpoints.lock", `
	SELECT position FROM events.checkpoints WHERE subscription = @subscription FOR UPDATE SKIP LOCKED`)

// LockCheckpoint takes the right to handle events until the end of the
// transaction; ok is false when another replica has it.
func LockCheckpoint(ctx context.Context, tx *postgres.Tx, subscription string) (position int64, ok bool, err error) {
	err = tx.QueryRow(ctx, lockCheckpoint, postgres.Args{"subscription": subscription}).Scan(&position)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("lock checkpoint of %s: %w", subscription, err)
	}
	return position, true, nil
}

var moveCheckpoint = postgres.SQL("events.checkpoints.move", `
	UPDATE events.checkpoints SET position = @position, updated_at = now()
	WHERE subscription = @subscription AND position < @position`)

// MoveCheckpoint moves a checkpoint forward, never back.
func MoveCheckpoint(ctx context.Context, q postgres.Queryer, subscription string, position int64) error {
	if _, err := q.Exec(ctx, moveCheckpoint, postgres.Args{"subscription": subscription, "position": position}); err != nil {
		return fmt.Errorf("move checkpoint of %s: %w", subscription, err)
	}
	return nil
}

// Parked is a stream that a subscription can't get past.
type Parked struct {
	Subscription string
	Stream       string
	Position     int64
	Error        string
	Attempts     int
	ParkedAt     time.Time
	NextTryAt    time.Time
}

var parkedAmong = postgres.SQL("events.parked.among", `
	SELECT stream_id FROM events.parked WHERE subscription = @subscription AND stream_id = ANY (@streams)`)

// ParkedAmong says which of some streams are parked.
func ParkedAmong(ctx context.Context, tx *postgres.Tx, subscription string, streams []string) (map[string]bool, error) {
	rows, err := tx.Query(ctx, parkedAmong, postgres.Args{"subscription": subscription, "streams": streams})
	if err != nil {
		return nil, fmt.Errorf("read parked streams of %s: %w", subscription, err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("read parked streams of %s: %w", subscription, err)
	}
	parked := make(map[string]bool, len(names))
	for _, name := range names {
		parked[name] = true
	}
	return parked, nil
}

var park = postgres.SQL("events.parked.park", `
	INSERT INTO events.parked AS p (subscription, stream_id, subject_id, position, error, attempts, next_try_at)
	VALUES (@subscription, @stream, @subject, @position, @error, 1, now() + @wait::interval)
	ON CONFLICT (subscription, stream_id) DO UPDATE
	SET error = excluded.error, next_try_at = now() + @wait::interval,
	    -- Another event than the one it stood at: its first failure.
	    attempts = CASE WHEN p.position = excluded.position THEN p.attempts + 1 ELSE 1 END,
	    position = excluded.position`)

// Park notes that a stream's event failed, for the first time or again.
func Park(ctx context.Context, tx *postgres.Tx, subscription, stream, subject string, position int64, reason string, wait time.Duration) error {
	_, err := tx.Exec(ctx, park, postgres.Args{
		"subscription": subscription, "stream": stream, "subject": orNull(subject), "position": position,
		"error": reason, "wait": wait,
	})
	if err != nil {
		return fmt.Errorf("park %s for %s: %w", stream, subscription, err)
	}
	return nil
}

const parkedColumns = `subscription, stream_id, position, error, attempts, parked_at, next_try_at`

var dueParked = postgres.SQL("events.parked.due", `
	SELECT `+parkedColumns+` FROM events.parked
	WHERE subscription = @subscription AND next_try_at <= now()
	ORDER BY next_try_at LIMIT @limit`)

// DueParked are streams whose time for another try has come.
func DueParked(ctx context.Context, q postgres.Queryer, subscription string, limit int) ([]Parked, error) {
	return collectParked(q.Query(ctx, dueParked, postgres.Args{"subscription": subscription, "limit": limit}))
}

var listParked = postgres.SQL("events.parked.list", `
	SELECT `+parkedColumns+` FROM events.parked ORDER BY subscription, parked_at, stream_id`)

// ListParked are all parked streams.
func ListParked(ctx context.Context, q postgres.Queryer) ([]Parked, error) {
	return collectParked(q.Query(ctx, listParked, postgres.Args{}))
}

var getParked = postgres.SQL("events.parked.get", `
	SELECT `+parkedColumns+` FROM events.parked WHERE subscription = @subscription AND stream_id = @stream`)

// GetParked is one parked stream; ok is false when it is not parked.
func GetParked(ctx context.Context, q postgres.Queryer, subscription, stream string) (p Parked, ok bool, err error) {
	found, err := collectParked(q.Query(ctx, getParked, postgres.Args{"subscription": subscription, "stream": stream}))
	if err != nil || len(found) == 0 {
		return Parked{}, false, err
	}
	return found[0], true, nil
}

func collectParked(rows pgx.Rows, err error) ([]Parked, error) {
	if err != nil {
		return nil, fmt.Errorf("list parked streams: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Parked, err error) {
		err = row.Scan(&p.Subscription, &p.Stream, &p.Position, &p.Error, &p.Attempts, &p.ParkedAt, &p.NextTryAt)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("list parked streams: %w", err)
	}
	return all, nil
}

var nextOfStream = postgres.SQL("events.parked.next", `
	SELECT `+columns+` FROM events.events
	WHERE stream_id = @stream AND type = ANY (@types) AND position >= @from AND position <= @up_to
	ORDER BY version LIMIT 1`)

// NextOfStream is the first event of a stream from a position on; ok is false
// when there is none up to the other.
func NextOfStream(ctx context.Context, q postgres.Queryer, stream string, types []string, from, upTo int64) (r Record, ok bool, err error) {
	rows, err := q.Query(ctx, nextOfStream, postgres.Args{"stream": stream, "types": types, "from": from, "up_to": upTo})
	if err != nil {
		return Record{}, false, fmt.Errorf("read stream %s: %w", stream, err)
	}
	r, err = pgx.CollectOneRow(rows, scanRecord)
	if errors.Is(err, pgx.ErrNoRows) {
		return Record{}, false, nil
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("read stream %s: %w", stream, err)
	}
	return r, true, nil
}

var moveParked = postgres.SQL("events.parked.move", `
	UPDATE events.parked SET position = @position, attempts = 0, next_try_at = now()
	WHERE subscription = @subscription AND stream_id = @stream`)

// MoveParked says that a parked stream now stands at another event.
func MoveParked(ctx context.Context, tx *postgres.Tx, subscription, stream string, position int64) error {
	if _, err := tx.Exec(ctx, moveParked, postgres.Args{"subscription": subscription, "stream": stream, "position": position}); err != nil {
		return fmt.Errorf("move parked stream %s of %s: %w", stream, subscription, err)
	}
	return nil
}

var unpark = postgres.SQL("events.parked.unpark", `
	DELETE FROM events.parked WHERE subscription = @subscription AND stream_id = @stream`)

// Unpark lets a stream go on with the others.
func Unpark(ctx context.Context, tx *postgres.Tx, subscription, stream string) error {
	if _, err := tx.Exec(ctx, unpark, postgres.Args{"subscription": subscription, "stream": stream}); err != nil {
		return fmt.Errorf("unpark stream %s of %s: %w", stream, subscription, err)
	}
	return nil
}

var resumeParked = postgres.SQL("events.parked.resume", `
	UPDATE events.parked SET next_try_at = now() WHERE subscription = @subscription AND stream_id = @stream`)

// ResumeParked makes a parked stream due; ok is false when it is not parked.
func ResumeParked(ctx context.Context, q postgres.Queryer, subscription, stream string) (ok bool, err error) {
	tag, err := q.Exec(ctx, resumeParked, postgres.Args{"subscription": subscription, "stream": stream})
	if err != nil {
		return false, fmt.Errorf("resume parked stream %s of %s: %w", stream, subscription, err)
	}
	return tag.RowsAffected() == 1, nil
}
