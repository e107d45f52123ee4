-- Addresses of course teams that events are sent to, and what became of each.

-- +goose Up
CREATE TABLE events.webhooks (
    id              uuid        PRIMARY KEY,
    course_id       text        NOT NULL,
    url             text        NOT NULL,
    -- Empty for all.
    types           text[]      NOT NULL DEFAULT '{}',
    description     text        NOT NULL DEFAULT '',
    -- The key of the signature, needed to sign; told once, and read by the system
    -- alone. The previous one still signs for a day.
    secret          bytea       NOT NULL,
    previous_secret bytea,
    previous_until  timestamptz,
    enabled         boolean     NOT NULL DEFAULT true,
    disabled_reason text        NOT NULL DEFAULT '',
    -- Since when nothing has arrived; null while things do.
    failing_since   timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX webhooks_course ON events.webhooks (course_id, created_at);
ALTER TABLE events.webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY class ON events.webhooks TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin()) WITH CHECK (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON events.webhooks TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT (id, course_id, url, types, description, enabled, disabled_reason, failing_since, created_at, updated_at)
    ON events.webhooks TO tracker_user, tracker_teacher;
GRANT INSERT, UPDATE, DELETE ON events.webhooks TO tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON events.webhooks TO tracker_system;

CREATE TABLE events.webhook_deliveries (
    id           uuid        PRIMARY KEY,
    webhook_id   uuid        NOT NULL REFERENCES events.webhooks ON DELETE CASCADE,
    -- The event itself stays in the log, so that its erasure is here, too.
    event_id     uuid        NOT NULL,
    position     bigint      NOT NULL,
    event_type   text        NOT NULL,
    subject_id   text,
    status       text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts     integer     NOT NULL DEFAULT 0,
    last_code    integer     NOT NULL DEFAULT 0,
    last_error   text        NOT NULL DEFAULT '',
    duration_ms  integer     NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- When it is to be tried; while it is, until when nobody else may.
    next_try_at  timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    UNIQUE (webhook_id, event_id)
) WITH (fillfactor = 80);
CREATE INDEX webhook_deliveries_log ON events.webhook_deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_due ON events.webhook_deliveries (next_try_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_subject ON events.webhook_deliveries (subject_id);
ALTER TABLE events.webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.webhook_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY class ON events.webhook_deliveries FOR SELECT TO tracker_teacher
    USING (EXISTS (SELECT FROM events.webhooks w WHERE w.id = webhook_id));
CREATE POLICY system ON events.webhook_deliveries TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT ON events.webhook_deliveries TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON events.webhook_deliveries TO tracker_system;

-- +goose Down
DROP TABLE events.webhook_deliveries;
DROP TABLE events.webhooks;
