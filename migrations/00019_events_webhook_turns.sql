-- Webhooks are delivered to in turns: one worker at a time sends what is due to
-- an address, in order, and one that fails rests as a whole. So a slow address
-- holds up no other, and one that is dead has one job, however much waits.

-- +goose Up
ALTER TABLE events.webhooks
    -- Who has the turn, and until when it may be silent.
    ADD COLUMN holder       uuid,
    ADD COLUMN leased_until timestamptz NOT NULL DEFAULT '-infinity',
    -- When a job comes for it; infinity when none is needed.
    ADD COLUMN look_at      timestamptz NOT NULL DEFAULT 'infinity',
    -- Until when it rests, after so many failures in a row.
    ADD COLUMN paused_until timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN failures     integer     NOT NULL DEFAULT 0;
COMMENT ON COLUMN events.webhooks.secret IS 'Sealed with the key of events.webhooks.key_file, which is outside the database.';

CREATE INDEX webhook_deliveries_next ON events.webhook_deliveries (webhook_id, next_try_at, position) WHERE status = 'pending';
DROP INDEX events.webhook_deliveries_due;
CREATE INDEX webhook_deliveries_old ON events.webhook_deliveries (created_at) WHERE status <> 'pending';

-- +goose Down
DROP INDEX events.webhook_deliveries_old;
DROP INDEX events.webhook_deliveries_next;
CREATE INDEX webhook_deliveries_due ON events.webhook_deliveries (next_try_at) WHERE status = 'pending';
ALTER TABLE events.webhooks
    DROP COLUMN failures, DROP COLUMN paused_until, DROP COLUMN look_at, DROP COLUMN leased_until, DROP COLUMN holder;
