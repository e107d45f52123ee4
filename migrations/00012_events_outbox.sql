-- Who sends the log's events outside, and up to where they are there for sure.

-- +goose Up
CREATE TABLE events.publishers (
    name         text        PRIMARY KEY,
    -- Everything up to here was confirmed by the broker.
    position     bigint      NOT NULL DEFAULT 0,
    -- The replica that publishes now; null when none does.
    holder       text,
    -- Until when it may without asking again: a replica that died is replaced then.
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    updated_at   timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
ALTER TABLE events.publishers ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.publishers FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON events.publishers TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON events.publishers TO tracker_system;

-- +goose Down
DROP TABLE events.publishers;
