package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var makePublisher = postgres.SQL("events.publishers.make", `
	INSERT INTO events.publishers (name, position)
	SELECT @name, CASE WHEN @now THEN events.horizon() ELSE 0 END
	WHERE NOT EXISTS (SELECT FROM events.publishers WHERE name = @name)
	ON CONFLICT (name) DO NOTHING`)

// MakePublisher makes a publisher's row, once, at the end of the log or at its
// beginning.
func MakePublisher(ctx context.Context, q postgres.Queryer, name string, now bool) error {
	if _, err := q.Exec(ctx, makePublisher, postgres.Args{"name": name, "now": now}); err != nil {
		return fmt.Errorf("make publisher %s: %w", name, err)
	}
	return nil
}

var leasePublisher = postgres.SQL("events.publishers.lease", `
	UPDATE events.publishers SET holder = @holder, leased_until = now() + @life::interval
	WHERE name = @name AND (holder = @holder OR leased_until < now())
	RETURNING position`)

// LeasePublisher takes or keeps the right to publish; ok is false while another
// replica has it.
func LeasePublisher(ctx context.Context, q postgres.Queryer, name, holder string, life time.Duration) (position int64, ok bool, err error) {
	err = q.QueryRow(ctx, leasePublisher, postgres.Args{"name": name, "holder": holder, "life": life}).Scan(&position)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("lease publisher %s: %w", name, err)
	}
	return position, true, nil
}

var movePublisher = postgres.SQL("events.publishers.move", `
	UPDATE events.publishers SET position = greatest(position, @position), leased_until = now() + @life::interval, updated_at = now()
	WHERE name = @name AND holder = @holder`)

// MovePublisher says that everything up to a position is published, and keeps
// the lease; ok is false when another replica has it meanwhile.
func MovePublisher(ctx context.Context, q postgres.Queryer, name, holder string, position int64, life time.Duration) (ok bool, err error) {
	tag, err := q.Exec(ctx, movePublisher, postgres.Args{"name": name, "holder": holder, "position": position, "life": life})
	if err != nil {
		return false, fmt.Errorf("move publisher %s: %w", name, err)
	}
	return tag.RowsAffected() == 1, nil
}

var resetPublisher = postgres.SQL("events.publishers.reset", `
	INSERT INTO events.publishers AS p (name, position) VALUES (@name, @position)
	ON CONFLICT (name) DO UPDATE SET position = excluded.position, holder = NULL, leased_until = '-infinity', updated_at = now()`)

// ResetPublisher has it go on after another position. Who holds the lease loses
// it, or it would note its own position again.
func ResetPublisher(ctx context.Context, q postgres.Queryer, name string, position int64) error {
	if _, err := q.Exec(ctx, resetPublisher, postgres.Args{"name": name, "position": position}); err != nil {
		return fmt.Errorf("move publisher %s to %d: %w", name, position, err)
	}
	return nil
}

var releasePublisher = postgres.SQL("events.publishers.release", `
	UPDATE events.publishers SET holder = NULL, leased_until = '-infinity' WHERE name = @name AND holder = @holder`)

// ReleasePublisher lets another replica publish at once.
func ReleasePublisher(ctx context.Context, q postgres.Queryer, name, holder string) error {
	if _, err := q.Exec(ctx, releasePublisher, postgres.Args{"name": name, "holder": holder}); err != nil {
		return fmt.Errorf("release publisher %s: %w", name, err)
	}
	return nil
}

// Published is where a publisher stands.
type Published struct {
	Position int64
	// Holder is "" when no replica publishes.
	Holder    string
	UpdatedAt time.Time
}

var readPublisher = postgres.SQL("events.publishers.read", `
	SELECT position, coalesce(CASE WHEN leased_until > now() THEN holder END, ''), updated_at
	FROM events.publishers WHERE name = @name`)

// ReadPublisher says where a publisher stands; ok is false before it ever ran.
func ReadPublisher(ctx context.Context, q postgres.Queryer, name string) (p Published, ok bool, err error) {
	err = q.QueryRow(ctx, readPublisher, postgres.Args{"name": name}).Scan(&p.Position, &p.Holder, &p.UpdatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return Published{}, false, nil
	}
	if err != nil {
		return Published{}, false, fmt.Errorf("read publisher %s: %w", name, err)
	}
	return p, true, nil
}

var countAfter = postgres.SQL("events.events.count_after", `
	SELECT count(*) FROM events.events WHERE position > @position`)

// CountAfter is how many events there are after a position.
func CountAfter(ctx context.Context, q postgres.Queryer, position int64) (n int64, err error) {
	if err := q.QueryRow(ctx, countAfter, postgres.Args{"position": position}).Scan(&n); err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return n, nil
}
