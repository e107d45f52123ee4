-- Tasks: the fold of the stream "task", and the content of their files.

-- +goose Up
CREATE SCHEMA tasks;
GRANT USAGE ON SCHEMA tasks TO tracker_user, tracker_teacher, tracker_system;

CREATE TABLE tasks.tasks (
    id                uuid        PRIMARY KEY,
    -- The cascade is a net: tasks are deleted by their events.
    goal_id           uuid        NOT NULL REFERENCES goals.goals (id) ON DELETE CASCADE,
    user_id           text        NOT NULL,
    -- The goal's, so that one policy serves both.
    course_id         text,
    title             text        NOT NULL,
    description       text        NOT NULL,
    type              text        NOT NULL CHECK (type IN ('code', 'documentation', 'testing', 'research', 'review', 'deployment', 'other')),
    status            text        NOT NULL CHECK (status IN ('todo', 'in_progress', 'in_review', 'completed', 'failed', 'skipped')),
    position          integer     NOT NULL,
    estimated_hours   double precision,
    actual_hours      double precision,
    depends_on        uuid[]      NOT NULL,
    concepts          text[]      NOT NULL,
    language          text,
    -- Files are named by digest here; their content is in tasks.files.
    validation        json,
    citations         json        NOT NULL,
    validation_result json,
    ai_feedback       text,
    completed_by      text        CHECK (completed_by IN ('verdict', 'self', 'teacher')),
    metadata          json        NOT NULL,
    -- The newest submission, and the status to give back when nothing comes of it.
    snapshot_id       uuid,
    snapshot_number   integer     NOT NULL,
    resume_status     text        CHECK (resume_status IN ('in_progress', 'failed')),
    started_at        timestamptz,
    completed_at      timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    version           bigint      NOT NULL
);
CREATE INDEX tasks_of_goal ON tasks.tasks (goal_id DESC, position, id);
CREATE INDEX tasks_of_user ON tasks.tasks (user_id, goal_id DESC, position, id);
CREATE INDEX tasks_of_course ON tasks.tasks (course_id, goal_id DESC, position, id) WHERE course_id IS NOT NULL;

ALTER TABLE tasks.tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks.tasks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tasks.tasks TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
CREATE POLICY class ON tasks.tasks FOR SELECT TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin());
-- A teacher completes tasks of the class.
CREATE POLICY class_complete ON tasks.tasks FOR UPDATE TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin())
    WITH CHECK (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON tasks.tasks TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON tasks.tasks TO tracker_user, tracker_teacher, tracker_system;

-- Facts: the content of test and starter files, by digest. They are not in the
-- log, which would swell by them and which learners read. No foreign key: a
-- rebuild of tasks.tasks must not take them along.
CREATE TABLE tasks.files (
    task_id uuid NOT NULL,
    digest  text NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (task_id, digest)
);
ALTER TABLE tasks.files ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks.files FORCE ROW LEVEL SECURITY;
-- Who may see the task may see its files: the inner table's policies apply.
CREATE POLICY of_task ON tasks.files FOR SELECT TO tracker_user, tracker_teacher
    USING (EXISTS (SELECT FROM tasks.tasks t WHERE t.id = task_id));
CREATE POLICY of_own_task ON tasks.files FOR INSERT TO tracker_user, tracker_teacher
    WITH CHECK (EXISTS (SELECT FROM tasks.tasks t WHERE t.id = task_id AND t.user_id = core.actor_id()));
CREATE POLICY from_own_task ON tasks.files FOR DELETE TO tracker_user, tracker_teacher
    USING (EXISTS (SELECT FROM tasks.tasks t WHERE t.id = task_id AND t.user_id = core.actor_id()));
CREATE POLICY system ON tasks.files TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON tasks.files TO tracker_user, tracker_teacher, tracker_system;

-- +goose Down
DROP SCHEMA tasks CASCADE;
