-- What people and course teams set of language models, and answers that are
-- given again.

-- +goose Up
-- Teachers see what a course's calls cost, admins all.
CREATE POLICY class ON llm.usage FOR SELECT TO tracker_teacher USING (core.teaches(course_id) OR core.is_admin());

-- Operational: what a learner chose.
CREATE TABLE llm.learner_settings (
    user_id    text        PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 36),
    local_only boolean     NOT NULL,
    updated_at timestamptz NOT NULL
);
ALTER TABLE llm.learner_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE llm.learner_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON llm.learner_settings TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
CREATE POLICY system ON llm.learner_settings TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON llm.learner_settings TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON llm.learner_settings TO tracker_system;

-- Operational: budgets that admins gave single learners. Apart from what
-- learners may write.
CREATE TABLE llm.learner_budgets (
    user_id      text        PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 36),
    -- -1 is no cap.
    daily_micros bigint      NOT NULL CHECK (daily_micros >= -1),
    updated_at   timestamptz NOT NULL
);
ALTER TABLE llm.learner_budgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE llm.learner_budgets FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON llm.learner_budgets FOR SELECT TO tracker_user, tracker_teacher USING (user_id = core.actor_id());
CREATE POLICY admins ON llm.learner_budgets TO tracker_teacher USING (core.is_admin()) WITH CHECK (core.is_admin());
CREATE POLICY system ON llm.learner_budgets TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT ON llm.learner_budgets TO tracker_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON llm.learner_budgets TO tracker_teacher, tracker_system;

-- Operational: what holds for a course.
CREATE TABLE llm.course_settings (
    course_id    text        PRIMARY KEY CHECK (length(course_id) BETWEEN 1 AND 36),
    local_only   boolean     NOT NULL,
    -- Null is the configured cap, -1 none.
    daily_micros bigint      CHECK (daily_micros >= -1),
    updated_at   timestamptz NOT NULL
);
ALTER TABLE llm.course_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE llm.course_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY class ON llm.course_settings TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin()) WITH CHECK (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON llm.course_settings TO tracker_system USING (true) WITH CHECK (true);
-- Learners see no row of it; the one statement that reads what holds joins it.
GRANT SELECT ON llm.course_settings TO tracker_user;
GRANT SELECT, INSERT, UPDATE ON llm.course_settings TO tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON llm.course_settings TO tracker_system;

-- Derived: answers to requests that may come again. The key is made of the
-- person, the models and the whole request, so answers never cross people.
CREATE TABLE llm.answers (
    key        bytea       PRIMARY KEY CHECK (length(key) = 32),
    -- Null for requests that the server made for nobody.
    user_id    text        CHECK (length(user_id) BETWEEN 1 AND 36),
    -- json, not jsonb: what a model said stays as it was said.
    answer     json        NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX answers_by_user ON llm.answers (user_id);
CREATE INDEX answers_by_end ON llm.answers (expires_at);
ALTER TABLE llm.answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE llm.answers FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON llm.answers TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON llm.answers TO tracker_system;

-- +goose Down
DROP TABLE llm.answers;
DROP TABLE llm.course_settings;
DROP TABLE llm.learner_budgets;
DROP TABLE llm.learner_settings;
DROP POLICY class ON llm.usage;
