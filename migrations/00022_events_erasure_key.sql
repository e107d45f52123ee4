-- Whose folder of erasures this database's is, known before anybody is erased: a
-- command or a replica with another one would set tombstones that the others
-- can't read.

-- +goose Up
CREATE TABLE events.erasure_key (
    only_one boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    key_id   text        NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE events.erasure_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.erasure_key FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON events.erasure_key TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON events.erasure_key TO tracker_system;
INSERT INTO events.erasure_key (key_id) SELECT key_id FROM events.erasures ORDER BY number DESC LIMIT 1;

-- +goose Down
DROP TABLE events.erasure_key;
