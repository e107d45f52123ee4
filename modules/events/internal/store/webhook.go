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

// Webhook is a row without its secrets, which people's roles can't read.
type Webhook struct {
	ID             uuid.UUID
	CourseID       string
	URL            string
	Types          []string
	Description    string
	Enabled        bool
	DisabledReason string
	FailingSince   *time.Time
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

const webhookColumns = `id, course_id, url, types, description, enabled, disabled_reason, failing_since, created_at, updated_at`

func scanWebhook(row pgx.CollectableRow) (w Webhook, err error) {
	err = row.Scan(&w.ID, &w.CourseID, &w.URL, &w.Types, &w.Description, &w.Enabled, &w.DisabledReason, &w.FailingSince, &w.CreatedAt, &w.UpdatedAt)
	return w, err
}

// oneWebhook is at most one row.
func oneWebhook(rows pgx.Rows, err error) (w Webhook, ok bool, _ error) {
	if err == nil {
		w, err = pgx.CollectOneRow(rows, scanWebhook)
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return Webhook{}, false, nil
	}
	return w, err == nil, err
}

var insertWebhook = postgres.SQL("events.webhooks.insert", `
	INSERT INTO events.webhooks (id, course_id, url, types, description, secret, created_at, updated_at)
	VALUES (@id, @course, @url, @types, @description, @secret, now(), now()) RETURNING `+webhookColumns)

// InsertWebhook makes one.
func InsertWebhook(ctx context.Context, q postgres.Queryer, w Webhook, secret []byte) (Webhook, error) {
	made, _, err := oneWebhook(q.Query(ctx, insertWebhook, postgres.Args{
		"id": w.ID, "course": w.CourseID, "url": w.URL, "types": w.Types, "description": w.Description, "secret": secret,
	}))
	if err != nil {
		return Webhook{}, fmt.Errorf("make webhook: %w", err)
	}
	return made, nil
}

var getWebhook = postgres.SQL("events.webhooks.get", `SELECT `+webhookColumns+` FROM events.webhooks WHERE id = @id`)

// GetWebhook reads one; ok is false when there is none for the actor.
func GetWebhook(ctx context.Context, q postgres.Queryer, id uuid.UUID) (Webhook, bool, error) {
	w, ok, err := oneWebhook(q.Query(ctx, getWebhook, postgres.Args{"id": id}))
	if err != nil {
		return Webhook{}, false, fmt.Errorf("read webhook %s: %w", id, err)
	}
	return w, ok, nil
}

var listWebhooks = postgres.SQL("events.webhooks.list", `
	SELECT `+webhookColumns+` FROM events.webhooks WHERE course_id = @course ORDER BY created_at, id`)

// ListWebhooks reads a course's.
func ListWebhooks(ctx context.Context, q postgres.Queryer, course string) ([]Webhook, error) {
	rows, err := q.Query(ctx, listWebhooks, postgres.Args{"course": course})
	if err != nil {
		return nil, fmt.Errorf("list webhooks of %s: %w", course, err)
	}
	all, err := pgx.CollectRows(rows, scanWebhook)
	if err != nil {
		return nil, fmt.Errorf("list webhooks of %s: %w", course, err)
	}
	return all, nil
}

var updateWebhook = postgres.SQL("events.webhooks.update", `
	UPDATE events.webhooks SET url = @url, types = @types, description = @description, enabled = @enabled,
		disabled_reason = CASE WHEN @enabled THEN '' ELSE disabled_reason END,
		failing_since = CASE WHEN @enabled AND NOT enabled THEN NULL ELSE failing_since END,
		failures = 0, paused_until = '-infinity', updated_at = now()
	WHERE id = @id RETURNING `+webhookColumns)

// UpdateWebhook writes what may change, and ends its rest.
func UpdateWebhook(ctx context.Context, q postgres.Queryer, w Webhook) (Webhook, bool, error) {
	changed, ok, err := oneWebhook(q.Query(ctx, updateWebhook, postgres.Args{
		"id": w.ID, "url": w.URL, "types": w.Types, "description": w.Description, "enabled": w.Enabled,
	}))
	if err != nil {
		return Webhook{}, false, fmt.Errorf("change webhook %s: %w", w.ID, err)
	}
	return changed, ok, nil
}

var deleteWebhook = postgres.SQL("events.webhooks.delete", `DELETE FROM events.webhooks WHERE id = @id`)

// DeleteWebhook removes one with its log.
func DeleteWebhook(ctx context.Context, q postgres.Queryer, id uuid.UUID) error {
	if _, err := q.Exec(ctx, deleteWebhook, postgres.Args{"id": id}); err != nil {
		return fmt.Errorf("delete webhook %s: %w", id, err)
	}
	return nil
}

var rotateWebhook = postgres.SQL("events.webhooks.rotate", `
	UPDATE events.webhooks SET previous_secret = secret, previous_until = now() + @keep::interval, secret = @secret,
		paused_until = '-infinity', updated_at = now()
	WHERE id = @id RETURNING `+webhookColumns)

// RotateWebhook gives it another secret. For the system: the old one is read.
func RotateWebhook(ctx context.Context, q postgres.Queryer, id uuid.UUID, secret []byte, keep time.Duration) (Webhook, bool, error) {
	w, ok, err := oneWebhook(q.Query(ctx, rotateWebhook, postgres.Args{"id": id, "secret": secret, "keep": keep}))
	if err != nil {
		return Webhook{}, false, fmt.Errorf("rotate the secret of webhook %s: %w", id, err)
	}
	return w, ok, nil
}

var matchWebhooks = postgres.SQL("events.webhooks.match", `
	SELECT id FROM events.webhooks WHERE course_id = @course AND enabled AND (cardinality(types) = 0 OR @type = ANY (types))`)

// MatchWebhooks are those that want an event.
func MatchWebhooks(ctx context.Context, q postgres.Queryer, course, eventType string) ([]uuid.UUID, error) {
	rows, err := q.Query(ctx, matchWebhooks, postgres.Args{"course": course, "type": eventType})
	if err != nil {
		return nil, fmt.Errorf("find webhooks of %s: %w", course, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("find webhooks of %s: %w", course, err)
	}
	return ids, nil
}
