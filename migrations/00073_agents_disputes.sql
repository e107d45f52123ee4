-- "This is wrong": what people say of what agents told learners, and what came
-- of looking at it again.

-- +goose Up
-- Facts.
CREATE TABLE agents.disputes (
    id         uuid        PRIMARY KEY,
    -- What was told, and to whom.
    kind       text        NOT NULL CHECK (kind IN ('feedback', 'hint', 'plan', 'message', 'evaluation', 'nudge')),
    output_id  uuid        NOT NULL,
    -- The number of a comment or the key of a planned task; '' for all of it.
    part       text        NOT NULL,
    user_id    text        NOT NULL,
    course_id  text,
    goal_id    uuid,
    task_id    uuid,
    -- Who says so: their role, and a digest by which they say it once.
    by_role    text        NOT NULL CHECK (by_role IN ('learner', 'teacher')),
    by_key     text        NOT NULL,
    reason     text        NOT NULL,
    -- It as it was told then.
    said       json        NOT NULL,
    status     text        NOT NULL CHECK (status IN ('open', 'upheld', 'withdrawn', 'corrected', 'unclear')),
    settled_by text        NOT NULL CHECK (settled_by IN ('', 'rules', 'model', 'teacher')),
    -- Why: [{"code", "part", "text": {"en", "es"}}].
    reasons    json        NOT NULL,
    -- What it should say, by who settled it; '' for nothing.
    correction text        NOT NULL,
    run_id     uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    settled_at timestamptz,
    version    bigint      NOT NULL
);
-- One open dispute of an output and person.
CREATE UNIQUE INDEX disputes_open ON agents.disputes (kind, output_id, part, by_key) WHERE status = 'open';
CREATE INDEX disputes_of_output ON agents.disputes (kind, output_id);
CREATE INDEX disputes_of_user ON agents.disputes (user_id, created_at DESC, id DESC);
CREATE INDEX disputes_of_course ON agents.disputes (course_id, created_at DESC, id DESC) WHERE course_id IS NOT NULL;
CREATE INDEX disputes_of_task ON agents.disputes (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX disputes_of_goal ON agents.disputes (goal_id) WHERE goal_id IS NOT NULL;

ALTER TABLE agents.disputes ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents.disputes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON agents.disputes TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
-- The team settles what its learners dispute.
CREATE POLICY class ON agents.disputes TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin()) WITH CHECK (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON agents.disputes TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON agents.disputes TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON agents.disputes TO tracker_system;

-- How an output stands, as far as the caller may see its disputes: by the one
-- that was settled last, else 'open' while one is, else ''.
CREATE FUNCTION agents.standing(of_kind text, id uuid) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce((
        SELECT d.status FROM agents.disputes d WHERE d.kind = of_kind AND d.output_id = standing.id AND d.part = ''
        ORDER BY d.settled_at DESC NULLS LAST, d.id DESC LIMIT 1), '');

-- +goose Down
DROP FUNCTION agents.standing(text, uuid);
DROP TABLE agents.disputes;
