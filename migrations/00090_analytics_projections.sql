-- Projections of the event log: derived data, rebuilt from it at any time. An
-- empty course_id means that the goal has none.

-- +goose Up
CREATE SCHEMA analytics;
GRANT USAGE ON SCHEMA analytics TO tracker_user, tracker_teacher, tracker_system;

CREATE TABLE analytics.goals (
    goal_id   uuid PRIMARY KEY,
    user_id   text NOT NULL,
    course_id text NOT NULL,
    status    text NOT NULL
);
CREATE INDEX goals_user ON analytics.goals (user_id, course_id);
CREATE INDEX goals_course ON analytics.goals (course_id);

CREATE TABLE analytics.tasks (
    task_id         uuid PRIMARY KEY,
    goal_id         uuid NOT NULL,
    user_id         text NOT NULL,
    course_id       text NOT NULL,
    status          text NOT NULL,
    estimated_hours double precision NOT NULL,
    actual_hours    double precision NOT NULL
);
CREATE INDEX tasks_user ON analytics.tasks (user_id, course_id);
CREATE INDEX tasks_course ON analytics.tasks (course_id);
CREATE INDEX tasks_goal ON analytics.tasks (goal_id);

CREATE TABLE analytics.verdicts (
    user_id   text    NOT NULL,
    course_id text    NOT NULL,
    verdict   text    NOT NULL,
    runs      integer NOT NULL,
    PRIMARY KEY (user_id, course_id, verdict)
);

CREATE TABLE analytics.activity (
    user_id         text        NOT NULL,
    course_id       text        NOT NULL,
    day             date        NOT NULL,
    events          integer     NOT NULL,
    submissions     integer     NOT NULL,
    passed          integer     NOT NULL,
    tasks_completed integer     NOT NULL,
    hints           integer     NOT NULL,
    last_at         timestamptz NOT NULL,
    PRIMARY KEY (user_id, course_id, day)
);
CREATE INDEX activity_course ON analytics.activity (course_id, day);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['goals', 'tasks', 'verdicts', 'activity'] LOOP
        EXECUTE format('ALTER TABLE analytics.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE analytics.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON analytics.%I FOR SELECT TO tracker_user, tracker_teacher USING (user_id = core.actor_id())', name);
        EXECUTE format('CREATE POLICY class ON analytics.%I FOR SELECT TO tracker_teacher USING (core.teaches(course_id))', name);
        EXECUTE format('CREATE POLICY system ON analytics.%I TO tracker_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT ON analytics.%I TO tracker_user, tracker_teacher', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON analytics.%I TO tracker_system', name);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP SCHEMA analytics CASCADE;
