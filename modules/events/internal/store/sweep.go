package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
)

var lostTurns = postgres.SQL("events.webhooks.lost_turns", `
	UPDATE events.webhooks w SET look_at = now()
	WHERE enabled AND leased_until < now() AND paused_until < now() - @late::interval
	  AND EXISTS (SELECT FROM events.webhook_deliveries d
	              WHERE d.webhook_id = w.id AND d.status = 'pending' AND d.next_try_at < now() - @late::interval)
	RETURNING id`)

// LostTurns are webhooks for which something is overdue: their worker died, or
// their job is lost.
func LostTurns(ctx context.Context, q postgres.Queryer, late time.Duration) ([]uuid.UUID, error) {
	return ids(q.Query(ctx, lostTurns, postgres.Args{"late": late}))
}

var disableBehind = postgres.SQL("events.webhooks.disable_behind", `
	UPDATE events.webhooks w SET enabled = false, disabled_reason = @reason
	WHERE enabled AND (SELECT count(*) FROM (
		SELECT FROM events.webhook_deliveries d WHERE d.webhook_id = w.id AND d.status = 'pending' LIMIT @most + 1
	) waiting) > @most
	RETURNING id`)

// DisableBehind disables webhooks for which more than so many deliveries wait.
func DisableBehind(ctx context.Context, q postgres.Queryer, most int, reason string) ([]uuid.UUID, error) {
	return ids(q.Query(ctx, disableBehind, postgres.Args{"most": most, "reason": reason}))
}

func ids(rows pgx.Rows, err error) (all []uuid.UUID, _ error) {
	if err == nil {
		all, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	}
	if err != nil {
		return nil, fmt.Errorf("look after webhooks: %w", err)
	}
	return all, nil
}

var failWaiting = postgres.SQL("events.webhook_deliveries.fail_waiting", `
	UPDATE events.webhook_deliveries d SET status = 'failed', last_error = @reason
	FROM events.webhooks w WHERE w.id = d.webhook_id AND NOT w.enabled AND d.status = 'pending'`)

// FailWaiting gives up what waits for webhooks that are disabled.
func FailWaiting(ctx context.Context, q postgres.Queryer, reason string) error {
	if _, err := q.Exec(ctx, failWaiting, postgres.Args{"reason": reason}); err != nil {
		return fmt.Errorf("give up deliveries of disabled webhooks: %w", err)
	}
	return nil
}

var pruneDeliveries = postgres.SQL("events.webhook_deliveries.prune", `
	DELETE FROM events.webhook_deliveries WHERE id IN (
		SELECT id FROM events.webhook_deliveries WHERE status <> 'pending' AND created_at < now() - @keep::interval
		LIMIT @limit)`)

var trimDeliveries = postgres.SQL("events.webhook_deliveries.trim", `
	DELETE FROM events.webhook_deliveries WHERE id IN (
		SELECT d.id FROM events.webhooks w
		CROSS JOIN LATERAL (SELECT created_at, id FROM events.webhook_deliveries l WHERE l.webhook_id = w.id
		                    ORDER BY created_at DESC, id DESC OFFSET @lines LIMIT 1) last
		JOIN events.webhook_deliveries d ON d.webhook_id = w.id AND (d.created_at, d.id) <= (last.created_at, last.id)
		WHERE d.status <> 'pending' LIMIT @limit)`)

// pruneAtOnce bounds one statement that shortens the log.
const pruneAtOnce = 10_000

// PruneDeliveries shortens the log to an age and to so many lines for each
// webhook.
func PruneDeliveries(ctx context.Context, q postgres.Queryer, keep time.Duration, lines int) error {
	for _, shorten := range []*postgres.Statement{pruneDeliveries, trimDeliveries} {
		for {
			args := postgres.Args{"limit": pruneAtOnce}
			if shorten == pruneDeliveries {
				args["keep"] = keep
			} else {
				args["lines"] = lines
			}
			tag, err := q.Exec(ctx, shorten, args)
			if err != nil {
				return fmt.Errorf("shorten the delivery log: %w", err)
			}
			if tag.RowsAffected() < pruneAtOnce {
				break
			}
		}
	}
	return nil
}

// Plain is a webhook whose secrets are not sealed: it was made by an older
// version.
type Plain struct {
	ID               uuid.UUID
	Secret, Previous []byte
}

var plainSecrets = postgres.SQL("events.webhooks.plain_secrets", `
	SELECT id, secret, previous_secret FROM events.webhooks
	WHERE octet_length(secret) = @plain OR octet_length(previous_secret) = @plain FOR UPDATE`)

// PlainSecrets are webhooks with secrets of a plain one's length.
func PlainSecrets(ctx context.Context, tx *postgres.Tx, plain int) ([]Plain, error) {
	rows, err := tx.Query(ctx, plainSecrets, postgres.Args{"plain": plain})
	if err != nil {
		return nil, fmt.Errorf("find plain secrets: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Plain])
	if err != nil {
		return nil, fmt.Errorf("find plain secrets: %w", err)
	}
	return all, nil
}

var (
	writeSecrets = postgres.SQL("events.webhooks.write_secrets", `
	UPDATE events.webhooks SET secret = @secret, previous_secret = @previous WHERE id = @id`)
	forgetSecrets = postgres.SQL("events.webhooks.forget_secrets", `
	UPDATE events.webhooks SET previous_secret = NULL, previous_until = NULL WHERE previous_until < now()`)
)

// WriteSecrets replaces a webhook's secrets by their sealed forms.
func WriteSecrets(ctx context.Context, tx *postgres.Tx, p Plain) error {
	if _, err := tx.Exec(ctx, writeSecrets, postgres.Args{"id": p.ID, "secret": p.Secret, "previous": p.Previous}); err != nil {
		return fmt.Errorf("seal the secrets of webhook %s: %w", p.ID, err)
	}
	return nil
}

// ForgetSecrets removes replaced secrets that no longer sign.
func ForgetSecrets(ctx context.Context, q postgres.Queryer) error {
	if _, err := q.Exec(ctx, forgetSecrets, postgres.Args{}); err != nil {
		return fmt.Errorf("forget replaced secrets: %w", err)
	}
	return nil
}
