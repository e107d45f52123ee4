-- Conversations with the tutor.

-- +goose Up
-- Facts.
CREATE TABLE agents.messages (
    task_id    uuid        NOT NULL,
    -- From 1.
    number     integer     NOT NULL,
    user_id    text        NOT NULL,
    course_id  text,
    -- The run that answers, or answered.
    run_id     uuid        NOT NULL,
    sender     text        NOT NULL CHECK (sender IN ('learner', 'tutor')),
    text       text        NOT NULL,
    citations  json        NOT NULL,
    looked_at  text[]      NOT NULL,
    label      text        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (task_id, number)
);
CREATE INDEX messages_of_user ON agents.messages (user_id);
-- One question of a task at a time.
CREATE UNIQUE INDEX runs_talking ON agents.runs (task_id) WHERE graph = 'tutor' AND status IN ('queued', 'running', 'waiting');
ALTER TABLE agents.messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents.messages FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON agents.messages TO tracker_user, tracker_teacher USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
CREATE POLICY system ON agents.messages TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON agents.messages TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON agents.messages TO tracker_system;

-- +goose Down
DROP INDEX agents.runs_talking;
DROP TABLE agents.messages;
