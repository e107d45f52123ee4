-- The academy's events, each taken in once, whatever the broker redelivers, and
-- in the order in which they happened.

-- +goose Up
CREATE SCHEMA academy;
GRANT USAGE ON SCHEMA academy TO tracker_user, tracker_teacher, tracker_system;

CREATE TABLE academy.inbox (
    -- SHA-256 of the event's source and id: what a sender puts into an id may be
    -- personal.
    key         bytea       PRIMARY KEY,
    type        text        NOT NULL,
    -- Whom it is about, as long as there is something to be done for it.
    user_id     text,
    course_id   text,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    -- "waiting" until every reaction has done its part.
    state       text        NOT NULL CHECK (state IN ('done', 'stale', 'waiting')),
    -- The reactions that have done theirs.
    done        text[]      NOT NULL DEFAULT '{}',
    attempts    integer     NOT NULL DEFAULT 0,
    -- When a replica may take it up; ahead while one is at it.
    next_at     timestamptz NOT NULL DEFAULT now(),
    problem     text        NOT NULL DEFAULT ''
);
CREATE INDEX inbox_waiting ON academy.inbox (next_at) WHERE state = 'waiting';
CREATE INDEX inbox_received ON academy.inbox (received_at) WHERE state <> 'waiting';
CREATE INDEX inbox_user ON academy.inbox (user_id) WHERE user_id IS NOT NULL;

-- When something was last heard of a person or a course: what is older is late.
CREATE TABLE academy.users (
    user_id     text        PRIMARY KEY,
    version     bigint,
    occurred_at timestamptz NOT NULL
);
CREATE TABLE academy.courses (
    course_id   text        PRIMARY KEY,
    version     bigint,
    occurred_at timestamptz NOT NULL,
    deleted     boolean     NOT NULL DEFAULT false
);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['inbox', 'users', 'courses'] LOOP
        EXECUTE format('ALTER TABLE academy.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE academy.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY system ON academy.%I TO tracker_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON academy.%I TO tracker_system', name);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP SCHEMA academy CASCADE;
