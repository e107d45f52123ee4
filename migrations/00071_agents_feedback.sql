-- What agents told learners: feedback on verdicts, and hints.

-- +goose Up
-- Facts.
CREATE TABLE agents.feedback (
    id                uuid        PRIMARY KEY,
    agent_run_id      uuid        NOT NULL,
    validation_run_id uuid        NOT NULL UNIQUE,
    task_id           uuid        NOT NULL,
    user_id           text        NOT NULL,
    course_id         text,
    snapshot_number   integer     NOT NULL,
    text              text        NOT NULL,
    comments          json        NOT NULL,
    label             text        NOT NULL,
    dispute           text        NOT NULL CHECK (dispute IN ('', 'open', 'upheld', 'withdrawn')),
    locale            text        NOT NULL CHECK (locale IN ('en', 'es')),
    created_at        timestamptz NOT NULL,
    version           bigint      NOT NULL
);
CREATE INDEX feedback_of_task ON agents.feedback (task_id, snapshot_number, validation_run_id);
CREATE INDEX feedback_of_user ON agents.feedback (user_id);

-- Facts.
CREATE TABLE agents.hints (
    id         uuid        PRIMARY KEY,
    task_id    uuid        NOT NULL,
    user_id    text        NOT NULL,
    course_id  text,
    -- The n-th hint of the task, from 1.
    number     integer     NOT NULL,
    level      smallint    NOT NULL CHECK (level BETWEEN 1 AND 4),
    text       text        NOT NULL,
    citations  json        NOT NULL,
    label      text        NOT NULL,
    looked_at  text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (task_id, number)
);
CREATE INDEX hints_of_user ON agents.hints (user_id);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['feedback', 'hints'] LOOP
        EXECUTE format('ALTER TABLE agents.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE agents.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON agents.%I TO tracker_user, tracker_teacher
            USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id())', name);
        EXECUTE format('CREATE POLICY system ON agents.%I TO tracker_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON agents.%I TO tracker_user, tracker_teacher', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON agents.%I TO tracker_system', name);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE agents.hints, agents.feedback;
