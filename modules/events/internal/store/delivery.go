package store

import (
	"context"
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
