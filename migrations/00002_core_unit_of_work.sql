-- What the unit of work needs: remembered idempotency keys, and the question
-- that row-level security of every module asks of a teacher.

-- +goose Up
CREATE FUNCTION core.teaches(course_id text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN course_id IS NOT NULL AND CASE current_setting('tracker.courses', true)
        WHEN '*' THEN true
        ELSE course_id = ANY (coalesce(nullif(current_setting('tracker.courses', true), ''), '{}')::text[])
    END;

-- An admin teaches every course, and people without one.
CREATE FUNCTION core.is_admin() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('tracker.courses', true), '') = '*';

CREATE TABLE core.idempotency_keys (
    subject_id   text        NOT NULL,
    key          text        NOT NULL,
    procedure    text        NOT NULL,
    request_hash bytea       NOT NULL,
    -- Null for a call that committed without a reply.
    reply        bytea,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (subject_id, key)
);
CREATE INDEX idempotency_keys_expiry ON core.idempotency_keys (expires_at);
ALTER TABLE core.idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON core.idempotency_keys TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON core.idempotency_keys TO tracker_system;

-- +goose Down
DROP TABLE core.idempotency_keys;
DROP FUNCTION core.is_admin();
DROP FUNCTION core.teaches(text);
