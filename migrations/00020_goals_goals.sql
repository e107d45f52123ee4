-- Goals and their progress: folds of the streams "goal" and "goal-progress".

-- +goose Up
CREATE SCHEMA goals;
GRANT USAGE ON SCHEMA goals TO tracker_user, tracker_teacher, tracker_system;

CREATE TABLE goals.goals (
    id                  uuid        PRIMARY KEY,
    user_id             text        NOT NULL,
    course_id           text,
    title               text        NOT NULL,
    description         text        NOT NULL,
    status              text        NOT NULL CHECK (status IN ('pending', 'in_progress', 'completed', 'blocked', 'cancelled')),
    priority            text        NOT NULL CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
    ai_generated        boolean     NOT NULL,
    validation_criteria text[]      NOT NULL,
    -- json, not jsonb: it passes through as text and is never asked about.
    metadata            json        NOT NULL,
    blocked_reason      text        NOT NULL,
    course_deleted      boolean     NOT NULL,
    due_at              timestamptz,
    started_at          timestamptz,
    completed_at        timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    version             bigint      NOT NULL
);
-- The order of lists: newest first.
CREATE INDEX goals_of_user ON goals.goals (user_id, created_at DESC, id DESC);
CREATE INDEX goals_of_course ON goals.goals (course_id, created_at DESC, id DESC) WHERE course_id IS NOT NULL;

ALTER TABLE goals.goals ENABLE ROW LEVEL SECURITY;
ALTER TABLE goals.goals FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON goals.goals TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
CREATE POLICY class ON goals.goals FOR SELECT TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin());
-- A teacher who completes a task locks its goal, but does not change it.
CREATE POLICY class_lock ON goals.goals FOR UPDATE TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin()) WITH CHECK (false);
CREATE POLICY system ON goals.goals TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON goals.goals TO tracker_user, tracker_teacher, tracker_system;

-- No row before the first progress; that is 0 %.
CREATE TABLE goals.goal_progress (
    goal_id         uuid             PRIMARY KEY,
    user_id         text             NOT NULL,
    course_id       text,
    progress        double precision NOT NULL CHECK (progress BETWEEN 0 AND 100),
    tasks_total     integer          NOT NULL,
    tasks_completed integer          NOT NULL,
    manual          boolean          NOT NULL,
    updated_at      timestamptz      NOT NULL,
    version         bigint           NOT NULL
);
ALTER TABLE goals.goal_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE goals.goal_progress FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON goals.goal_progress TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
CREATE POLICY class ON goals.goal_progress FOR SELECT TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON goals.goal_progress TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON goals.goal_progress TO tracker_user, tracker_teacher, tracker_system;

-- +goose Down
DROP SCHEMA goals CASCADE;
