package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var insertDelivery = postgres.SQL("events.webhook_deliveries.insert", `
	INSERT INTO events.webhook_deliveries (id, webhook_id, event_id, position, event_type, subject_id)
	VALUES (@id, @webhook, @event, @position, @type, @subject) ON CONFLICT (webhook_id, event_id) DO NOTHING`)

// InsertDelivery notes that an event is to be sent.
func InsertDelivery(ctx context.Context, q postgres.Queryer, id, webhook, event uuid.UUID, position int64, eventType, subject string) error {
	_, err := q.Exec(ctx, insertDelivery, postgres.Args{
		"id": id, "webhook": webhook, "event": event, "position": position, "type": eventType, "subject": orNull(subject),
	})
	if err != nil {
		return fmt.Errorf("note a delivery to webhook %s: %w", webhook, err)
	}
	return nil
}

// Claimed is a delivery that is being tried, with what that takes.
type Claimed struct {
	Webhook  uuid.UUID
	Event    uuid.UUID
	Position int64
	Attempt  int
	URL      string
	Enabled  bool
	Secret   []byte
	// Previous still signs; nil when there is none.
	Previous []byte
}

var claimDelivery = postgres.SQL("events.webhook_deliveries.claim", `
	UPDATE events.webhook_deliveries d SET attempts = attempts + 1, next_try_at = now() + @lease::interval
	FROM events.webhooks w
	WHERE d.id = @id AND w.id = d.webhook_id AND d.status = 'pending' AND d.next_try_at <= now() + interval '1 second'
	RETURNING w.id, d.event_id, d.position, d.attempts, w.url, w.enabled, w.secret,
		CASE WHEN w.previous_until > now() THEN w.previous_secret END`)

// ClaimDelivery takes a delivery that is due, for a while; ok is false when it
// is not, or another replica has it.
func ClaimDelivery(ctx context.Context, q postgres.Queryer, id uuid.UUID, lease time.Duration) (c Claimed, ok bool, err error) {
	err = q.QueryRow(ctx, claimDelivery, postgres.Args{"id": id, "lease": lease}).
		Scan(&c.Webhook, &c.Event, &c.Position, &c.Attempt, &c.URL, &c.Enabled, &c.Secret, &c.Previous)
	if errors.Is(err, pgx.ErrNoRows) {
		return Claimed{}, false, nil
	}
	if err != nil {
		return Claimed{}, false, fmt.Errorf("claim delivery %s: %w", id, err)
	}
	return c, true, nil
}

// Outcome is how an attempt ended.
type Outcome struct {
	// Status is pending when it is tried again after Wait.
	Status   string
	Wait     time.Duration
	Code     int
	Error    string
	Duration time.Duration
}

var endAttempt = postgres.SQL("events.webhook_deliveries.end", `
	UPDATE events.webhook_deliveries SET status = @status, next_try_at = now() + @wait::interval, last_code = @code,
		last_error = @error, duration_ms = @duration, delivered_at = CASE WHEN @status = 'delivered' THEN now() END
	WHERE id = @id`)

// EndAttempt notes how an attempt ended.
func EndAttempt(ctx context.Context, q postgres.Queryer, id uuid.UUID, o Outcome) error {
	_, err := q.Exec(ctx, endAttempt, postgres.Args{
		"id": id, "status": o.Status, "wait": o.Wait, "code": o.Code, "error": o.Error, "duration": o.Duration.Milliseconds(),
	})
	if err != nil {
		return fmt.Errorf("note the attempt of delivery %s: %w", id, err)
	}
	return nil
}

var lostDeliveries = postgres.SQL("events.webhook_deliveries.lost", `
	SELECT id FROM events.webhook_deliveries WHERE status = 'pending' AND next_try_at < now() - @late::interval
	ORDER BY next_try_at LIMIT 500`)

// LostDeliveries are those whose worker or ticket is gone.
func LostDeliveries(ctx context.Context, q postgres.Queryer, late time.Duration) ([]uuid.UUID, error) {
	rows, err := q.Query(ctx, lostDeliveries, postgres.Args{"late": late})
	if err != nil {
		return nil, fmt.Errorf("find lost deliveries: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find lost deliveries: %w", err)
	}
	return ids, nil
}

var pruneDeliveries = postgres.SQL("events.webhook_deliveries.prune", `
	DELETE FROM events.webhook_deliveries WHERE status <> 'pending' AND created_at < now() - @keep::interval`)

// PruneDeliveries shortens the log.
func PruneDeliveries(ctx context.Context, q postgres.Queryer, keep time.Duration) error {
	if _, err := q.Exec(ctx, pruneDeliveries, postgres.Args{"keep": keep}); err != nil {
		return fmt.Errorf("shorten the delivery log: %w", err)
	}
	return nil
}

// Delivery is a line of the log.
type Delivery struct {
	ID, EventID          uuid.UUID
	EventType, Status    string
	Attempts, Code       int
	Error                string
	DurationMS           int
	CreatedAt, NextTryAt time.Time
	DeliveredAt          *time.Time
}

var listDeliveries = postgres.SQL("events.webhook_deliveries.list", `
	SELECT id, event_id, event_type, status, attempts, last_code, last_error, duration_ms, created_at, next_try_at, delivered_at
	FROM events.webhook_deliveries
	WHERE webhook_id = @webhook AND (@before::timestamptz IS NULL OR (created_at, id) < (@before, @before_id))
	ORDER BY created_at DESC, id DESC LIMIT @limit`)

// ListDeliveries reads the log, newest first.
func ListDeliveries(ctx context.Context, q postgres.Queryer, webhook uuid.UUID, before *time.Time, beforeID uuid.UUID, limit int) ([]Delivery, error) {
	rows, err := q.Query(ctx, listDeliveries, postgres.Args{"webhook": webhook, "before": before, "before_id": beforeID, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("read the delivery log of %s: %w", webhook, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d Delivery, err error) {
		err = row.Scan(&d.ID, &d.EventID, &d.EventType, &d.Status, &d.Attempts, &d.Code, &d.Error, &d.DurationMS, &d.CreatedAt, &d.NextTryAt, &d.DeliveredAt)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the delivery log of %s: %w", webhook, err)
	}
	return all, nil
}
