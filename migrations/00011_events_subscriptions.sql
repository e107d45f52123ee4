-- Where each subscription stands, and the streams it can't get past.

-- +goose Up
CREATE TABLE events.checkpoints (
    subscription text        PRIMARY KEY,
    -- All events up to here were handled, parked or not asked for.
    position     bigint      NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
ALTER TABLE events.checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON events.checkpoints TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON events.checkpoints TO tracker_system;

-- A stream is parked from an event on that its subscription can't handle: that
-- one and all later ones up to the checkpoint wait, in order.
CREATE TABLE events.parked (
    subscription text        NOT NULL,
    stream_id    text COLLATE "C" NOT NULL,
    subject_id   text,
    -- The event that can't be handled.
    position     bigint      NOT NULL,
    error        text        NOT NULL,
    attempts     integer     NOT NULL,
    parked_at    timestamptz NOT NULL DEFAULT now(),
    next_try_at  timestamptz NOT NULL,
    PRIMARY KEY (subscription, stream_id)
);
CREATE INDEX parked_due ON events.parked (subscription, next_try_at);
ALTER TABLE events.parked ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.parked FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON events.parked TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON events.parked TO tracker_system;

-- +goose Down
DROP TABLE events.parked;
DROP TABLE events.checkpoints;
