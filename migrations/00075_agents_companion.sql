-- What evaluator and coach work from, and what they said.

-- +goose Up
-- Derived from events: how a learner fares with each task.
CREATE TABLE agents.journeys (
    task_id         uuid             PRIMARY KEY,
    user_id         text             NOT NULL,
    course_id       text,
    goal_id         uuid,
    title           text             NOT NULL DEFAULT '',
    concepts        text[]           NOT NULL DEFAULT '{}',
    estimated_hours double precision NOT NULL DEFAULT 0,
    status          text             NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'skipped')),
    -- Who said that it is done: "verdict", "self", "teacher"; '' while it is not.
    completed_by    text             NOT NULL DEFAULT '',
    tries           integer          NOT NULL DEFAULT 0,
    fails_in_a_row  integer          NOT NULL DEFAULT 0,
    hints           integer          NOT NULL DEFAULT 0,
    last_try_at     timestamptz,
    last_hint_at    timestamptz,
    done_at         timestamptz
);
CREATE INDEX journeys_of_user ON agents.journeys (user_id, course_id);
CREATE INDEX journeys_stuck ON agents.journeys (last_try_at) WHERE status = 'open' AND fails_in_a_row >= 3;
CREATE INDEX journeys_of_goal ON agents.journeys (goal_id);

-- Derived from events: which goals are to be reached by when.
CREATE TABLE agents.due_goals (
    goal_id   uuid        PRIMARY KEY,
    user_id   text        NOT NULL,
    course_id text,
    title     text        NOT NULL,
    due_at    timestamptz NOT NULL,
    open      boolean     NOT NULL
);
CREATE INDEX due_goals_next ON agents.due_goals (due_at) WHERE open;
CREATE INDEX due_goals_of_user ON agents.due_goals (user_id);

-- Facts: the newest evaluation of a learner in a course; '' for work without one.
CREATE TABLE agents.evaluations (
    user_id      text        NOT NULL,
    course_id    text        NOT NULL,
    mastery      json        NOT NULL,
    reasons      json        NOT NULL,
    trend        text        NOT NULL,
    -- How many tasks had been finished or tried in all.
    evidence     integer     NOT NULL,
    evaluated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, course_id)
);

-- Facts: what the coach said. The key keeps it from saying so twice.
CREATE TABLE agents.nudges (
    id         uuid        PRIMARY KEY,
    user_id    text        NOT NULL,
    kind       text        NOT NULL,
    goal_id    uuid,
    task_id    uuid,
    text_en    text        NOT NULL,
    text_es    text        NOT NULL,
    key        text        NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (user_id, key)
);

-- Operational: when and of what a learner wants to hear.
CREATE TABLE agents.coach_settings (
    user_id    text        PRIMARY KEY,
    enabled    boolean     NOT NULL,
    muted      text[]      NOT NULL,
    -- Minutes after midnight in the time zone.
    quiet_from smallint    NOT NULL CHECK (quiet_from BETWEEN 0 AND 1439),
    quiet_to   smallint    NOT NULL CHECK (quiet_to BETWEEN 0 AND 1439),
    time_zone  text        NOT NULL,
    updated_at timestamptz NOT NULL
);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['journeys', 'due_goals', 'evaluations', 'nudges', 'coach_settings'] LOOP
        EXECUTE format('ALTER TABLE agents.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE agents.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON agents.%I TO tracker_user, tracker_teacher
            USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id())', name);
        EXECUTE format('CREATE POLICY system ON agents.%I TO tracker_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT ON agents.%I TO tracker_user, tracker_teacher', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON agents.%I TO tracker_system', name);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT INSERT, UPDATE ON agents.coach_settings TO tracker_user, tracker_teacher;
-- Teachers see how their learners fare.
CREATE POLICY class ON agents.evaluations FOR SELECT TO tracker_teacher USING (core.teaches(course_id) OR core.is_admin());

-- +goose Down
DROP TABLE agents.coach_settings, agents.nudges, agents.evaluations, agents.due_goals, agents.journeys;
