-- Folders of course material that servers watch: which server does so now, and
-- what it saw last.

-- +goose Up
CREATE TABLE rag.watches (
    course_id   text        PRIMARY KEY,
    -- The server that watches, and until when nobody else may.
    holder      text        NOT NULL,
    held_until  timestamptz NOT NULL,
    -- Of the names, sizes and times of the files that were ingested last.
    fingerprint text        NOT NULL DEFAULT '',
    -- What was wrong the last time; empty when nothing was.
    problem     text        NOT NULL DEFAULT '',
    ran_at      timestamptz
);
ALTER TABLE rag.watches ENABLE ROW LEVEL SECURITY;
ALTER TABLE rag.watches FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON rag.watches TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON rag.watches TO tracker_system;

-- +goose Down
DROP TABLE rag.watches;
