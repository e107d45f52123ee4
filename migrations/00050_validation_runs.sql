-- Snapshots, runs with their reports, and the fair queue.

-- +goose Up
CREATE SCHEMA validation;
GRANT USAGE ON SCHEMA validation TO tracker_user, tracker_teacher, tracker_system;

-- Facts: what learners handed in. Nobody may update one.
CREATE TABLE validation.code_snapshots (
    id         uuid        PRIMARY KEY,
    task_id    uuid        NOT NULL,
    user_id    text        NOT NULL,
    -- The task's when it was handed in.
    course_id  text,
    number     integer     NOT NULL CHECK (number > 0),
    language   text        NOT NULL,
    -- json, not jsonb: it passes through as text and is never asked about.
    files      json        NOT NULL,
    digest     text        NOT NULL,
    created_at timestamptz NOT NULL,
    -- Also the order of lists.
    UNIQUE (task_id, number)
);
ALTER TABLE validation.code_snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.code_snapshots FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON validation.code_snapshots TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
CREATE POLICY class ON validation.code_snapshots FOR SELECT TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON validation.code_snapshots TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON validation.code_snapshots TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, DELETE ON validation.code_snapshots TO tracker_system;

-- The fold of the streams "run".
CREATE TABLE validation.runs (
    id              uuid             PRIMARY KEY,
    snapshot_id     uuid             NOT NULL,
    task_id         uuid             NOT NULL,
    goal_id         uuid             NOT NULL,
    user_id         text             NOT NULL,
    course_id       text,
    snapshot_number integer          NOT NULL,
    status          text             NOT NULL CHECK (status IN ('queued', 'running', 'done', 'superseded')),
    verdict         text             CHECK (verdict IN ('passed', 'failed', 'invalid', 'timed_out', 'out_of_memory',
                                                        'output_limit', 'unproven', 'platform_error')),
    score           double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
    tests_passed    integer          NOT NULL,
    tests_total     integer          NOT NULL,
    findings        integer          NOT NULL,
    plugin          text             NOT NULL,
    plugin_version  text             NOT NULL,
    summary_en      text             NOT NULL,
    summary_es      text             NOT NULL,
    attempt         integer          NOT NULL,
    deduplicated    boolean          NOT NULL,
    created_at      timestamptz      NOT NULL,
    started_at      timestamptz,
    finished_at     timestamptz,
    version         bigint           NOT NULL
);
CREATE INDEX runs_of_snapshot ON validation.runs (snapshot_id, id DESC);
CREATE INDEX runs_of_task ON validation.runs (task_id);
CREATE INDEX runs_of_user ON validation.runs (user_id);
ALTER TABLE validation.runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.runs FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON validation.runs TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
CREATE POLICY class ON validation.runs FOR SELECT TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON validation.runs TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON validation.runs TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON validation.runs TO tracker_system;

-- Facts: what the plugin said of a run, once.
CREATE TABLE validation.reports (
    run_id     uuid        PRIMARY KEY,
    task_id    uuid        NOT NULL,
    user_id    text        NOT NULL,
    course_id  text,
    report     json        NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX reports_of_task ON validation.reports (task_id);
CREATE INDEX reports_of_user ON validation.reports (user_id);
ALTER TABLE validation.reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.reports FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON validation.reports FOR SELECT TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id());
CREATE POLICY class ON validation.reports FOR SELECT TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON validation.reports TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT ON validation.reports TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, DELETE ON validation.reports TO tracker_system;

-- Operational: runs that wait, or that a worker holds under a lease.
CREATE TABLE validation.queue (
    run_id       uuid        PRIMARY KEY,
    task_id      uuid        NOT NULL,
    snapshot_id  uuid        NOT NULL,
    user_id      text        NOT NULL,
    course_id    text,
    -- 0 interactive, 1 bulk.
    lane         smallint    NOT NULL,
    position     bigint      GENERATED ALWAYS AS IDENTITY,
    enqueued_at  timestamptz NOT NULL,
    -- Later than enqueued_at after a failure of the platform.
    available_at timestamptz NOT NULL,
    -- How often it was taken.
    attempt      integer     NOT NULL,
    -- Who may publish; null while it waits.
    lease_token  uuid,
    lease_until  timestamptz,
    worker       text
);
CREATE INDEX queue_waiting ON validation.queue (lane, position) WHERE lease_token IS NULL;
CREATE INDEX queue_leased ON validation.queue (lease_until) WHERE lease_token IS NOT NULL;
CREATE INDEX queue_of_task ON validation.queue (task_id);
ALTER TABLE validation.queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.queue FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON validation.queue TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
CREATE POLICY system ON validation.queue TO tracker_system USING (true) WITH CHECK (true);
-- Superseding locks the row that it deletes.
GRANT SELECT, INSERT, UPDATE, DELETE ON validation.queue TO tracker_user, tracker_teacher, tracker_system;

-- Operational: the virtual time of courses and, in them, of learners. A row
-- stands as long as it makes a difference.
CREATE TABLE validation.shares (
    -- 'all', 'course' or 'learner'.
    kind         text             NOT NULL,
    -- '' for work of no course.
    course_id    text             NOT NULL,
    user_id      text             NOT NULL,
    -- When its next run starts, in runs of its own.
    virtual_time double precision NOT NULL,
    -- When the newest run below it started, in their virtual time.
    served       double precision NOT NULL,
    PRIMARY KEY (kind, course_id, user_id)
);
ALTER TABLE validation.shares ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.shares FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON validation.shares TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON validation.shares TO tracker_system;

-- Derived: which run judged an equal submission of the same learner and task.
CREATE TABLE validation.verdicts (
    user_id    text        NOT NULL,
    task_id    uuid        NOT NULL,
    -- HMAC over files, tests, plugin and toolchain.
    key        bytea       NOT NULL,
    run_id     uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (task_id, user_id, key)
);
CREATE INDEX verdicts_of_user ON validation.verdicts (user_id);
ALTER TABLE validation.verdicts ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.verdicts FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON validation.verdicts TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON validation.verdicts TO tracker_system;

-- +goose Down
DROP SCHEMA validation CASCADE;
