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

// A webhook's turn is one worker's right to send to it. look_at says when a job
// comes for it next, so that there is one and not one for each delivery.

var awaitTurn = postgres.SQL("events.webhooks.await_turn", `
	UPDATE events.webhooks SET look_at = greatest(paused_until, now())
	WHERE id = @id AND look_at > greatest(paused_until, now())
	RETURNING look_at - now()`)

// AwaitTurn says that there is something to send, and in how long a job has to
// come for it, after its rest; needed is false when one comes anyway.
func AwaitTurn(ctx context.Context, q postgres.Queryer, webhook uuid.UUID) (wait time.Duration, needed bool, err error) {
	err = q.QueryRow(ctx, awaitTurn, postgres.Args{"id": webhook}).Scan(&wait)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("call webhook %s to its turn: %w", webhook, err)
	}
	return wait, true, nil
}

var takeTurn = postgres.SQL("events.webhooks.take_turn", `
	UPDATE events.webhooks SET holder = @holder, leased_until = now() + @life::interval, look_at = 'infinity'
	WHERE id = @id AND enabled AND leased_until < now() AND paused_until <= now() + interval '1 second'`)

// TakeTurn takes a webhook's turn for a while; ok is false when another worker
// has it, it rests, is disabled or no more.
func TakeTurn(ctx context.Context, q postgres.Queryer, webhook, holder uuid.UUID, life time.Duration) (ok bool, err error) {
	tag, err := q.Exec(ctx, takeTurn, postgres.Args{"id": webhook, "holder": holder, "life": life})
	if err != nil {
		return false, fmt.Errorf("take the turn of webhook %s: %w", webhook, err)
	}
	return tag.RowsAffected() == 1, nil
}

// Claimed is a delivery that is being tried, with what that takes.
type Claimed struct {
	ID       uuid.UUID
	Webhook  uuid.UUID
	Event    uuid.UUID
	Position int64
	Attempt  int
	URL      string
	// Failures of the webhook, in a row, before this attempt.
	Failures int
	// Secret and Previous are sealed; nil when there is no previous one that still
	// signs.
	Secret, Previous []byte
}

var claimDelivery = postgres.SQL("events.webhook_deliveries.claim", `
	WITH turn AS (
		UPDATE events.webhooks SET leased_until = now() + @life::interval
		WHERE id = @webhook AND holder = @holder AND enabled
		RETURNING id, url, failures, secret, CASE WHEN previous_until > now() THEN previous_secret END AS previous
	), due AS (
		SELECT d.id FROM events.webhook_deliveries d JOIN turn ON turn.id = d.webhook_id
		WHERE d.status = 'pending' AND d.next_try_at <= now()
		ORDER BY d.next_try_at, d.position LIMIT 1
	)
	UPDATE events.webhook_deliveries d SET attempts = attempts + 1
	FROM due, turn WHERE d.id = due.id
	RETURNING d.id, d.event_id, d.position, d.attempts, turn.url, turn.failures, turn.secret, turn.previous`)

// ClaimDelivery gives what is due first at a webhook and keeps its turn; ok is
// false when nothing is, or the turn is another worker's by now.
func ClaimDelivery(ctx context.Context, q postgres.Queryer, webhook, holder uuid.UUID, life time.Duration) (c Claimed, ok bool, err error) {
	c.Webhook = webhook
	err = q.QueryRow(ctx, claimDelivery, postgres.Args{"webhook": webhook, "holder": holder, "life": life}).
		Scan(&c.ID, &c.Event, &c.Position, &c.Attempt, &c.URL, &c.Failures, &c.Secret, &c.Previous)
	if errors.Is(err, pgx.ErrNoRows) {
		return Claimed{}, false, nil
	}
	if err != nil {
		return Claimed{}, false, fmt.Errorf("claim a delivery of webhook %s: %w", webhook, err)
	}
	return c, true, nil
}

var (
	lockTurn = postgres.SQL("events.webhooks.lock_turn", `
	SELECT FROM events.webhooks WHERE id = @id AND holder = @holder FOR UPDATE`)
	endTurn = postgres.SQL("events.webhooks.end_turn", `
	WITH waiting AS (
		SELECT min(next_try_at) AS next FROM events.webhook_deliveries WHERE webhook_id = @id AND status = 'pending'
	), due AS (
		SELECT CASE WHEN w.enabled AND next IS NOT NULL THEN greatest(next, w.paused_until, now()) END AS at,
			-- A job that AwaitTurn asked for and that can't have come yet.
			CASE WHEN w.look_at > now() + interval '1 second' AND w.look_at >= w.paused_until THEN w.look_at ELSE 'infinity' END AS comes
		FROM events.webhooks w, waiting WHERE w.id = @id
	)
	UPDATE events.webhooks w SET holder = NULL, leased_until = '-infinity', look_at = least(coalesce(due.at, 'infinity'), due.comes)
	FROM due WHERE w.id = @id
	RETURNING CASE WHEN due.at < due.comes THEN due.at - now() END`)
)

// EndTurn gives the turn back and says in how long there is something to send
// again; more is false when nothing waits, or a job comes for it anyway.
func EndTurn(ctx context.Context, tx *postgres.Tx, webhook, holder uuid.UUID) (wait time.Duration, more bool, err error) {
	// First the lock: what was noted before it is seen by the statement after it.
	tag, err := tx.Exec(ctx, lockTurn, postgres.Args{"id": webhook, "holder": holder})
	if err != nil || tag.RowsAffected() == 0 {
		return 0, false, err
	}
	var in *time.Duration
	if err := tx.QueryRow(ctx, endTurn, postgres.Args{"id": webhook}).Scan(&in); err != nil {
		return 0, false, fmt.Errorf("end the turn of webhook %s: %w", webhook, err)
	}
	if in == nil {
		return 0, false, nil
	}
	return *in, true, nil
}

var failWebhook = postgres.SQL("events.webhooks.fail", `
	WITH before AS (SELECT enabled FROM events.webhooks WHERE id = @id FOR UPDATE)
	UPDATE events.webhooks w SET failures = failures + 1, failing_since = coalesce(failing_since, now()),
		paused_until = now() + @pause::interval,
		enabled = w.enabled AND NOT (@gone OR @often AND coalesce(failing_since, now()) <= now() - @most::interval),
		disabled_reason = CASE WHEN w.enabled AND (@gone OR @often AND coalesce(failing_since, now()) <= now() - @most::interval)
			THEN @reason ELSE disabled_reason END
	FROM before WHERE w.id = @id RETURNING w.enabled, before.enabled AND NOT w.enabled`)

// Failure is what went wrong at a webhook, and what follows from it.
type Failure struct {
	// Gone and Often disable it: at once, or when nothing has arrived for Most.
	Gone, Often bool
	Most        time.Duration
	// Reason is what its team reads then.
	Reason string
	// Pause is how long it rests.
	Pause time.Duration
}

// FailWebhook notes a failure, has the webhook rest, and disables one that fails
// for too long or is gone; disabled says that this failure did it. One that is
// deleted meanwhile counts as enabled.
func FailWebhook(ctx context.Context, q postgres.Queryer, id uuid.UUID, f Failure) (enabled, disabled bool, err error) {
	err = q.QueryRow(ctx, failWebhook, postgres.Args{
		"id": id, "gone": f.Gone, "often": f.Often, "most": f.Most, "reason": f.Reason, "pause": f.Pause,
	}).Scan(&enabled, &disabled)
	if errors.Is(err, pgx.ErrNoRows) {
		return true, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("note the failure of webhook %s: %w", id, err)
	}
	return enabled, disabled, nil
}

var healWebhook = postgres.SQL("events.webhooks.heal", `
	UPDATE events.webhooks SET failing_since = NULL, failures = 0 WHERE id = @id AND (failing_since IS NOT NULL OR failures > 0)`)

// HealWebhook notes that something has arrived.
func HealWebhook(ctx context.Context, q postgres.Queryer, id uuid.UUID) error {
	if _, err := q.Exec(ctx, healWebhook, postgres.Args{"id": id}); err != nil {
		return fmt.Errorf("note the success of webhook %s: %w", id, err)
	}
	return nil
}

var pauseWebhook = postgres.SQL("events.webhooks.pause", `
	UPDATE events.webhooks SET paused_until = now() + @pause::interval WHERE id = @id`)

// PauseWebhook has it rest, though it is not to blame.
func PauseWebhook(ctx context.Context, q postgres.Queryer, id uuid.UUID, pause time.Duration) error {
	if _, err := q.Exec(ctx, pauseWebhook, postgres.Args{"id": id, "pause": pause}); err != nil {
		return fmt.Errorf("pause webhook %s: %w", id, err)
	}
	return nil
}
