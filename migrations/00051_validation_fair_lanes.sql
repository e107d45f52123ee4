-- The queue by lanes, weights and limits of courses, forecasts and re-judging.

-- +goose Up
ALTER TABLE validation.queue
    -- What sort of work it is, to know how long it lasts: "validator-python/python".
    ADD COLUMN kind        text             NOT NULL DEFAULT '',
    ADD COLUMN leased_at   timestamptz,
    -- What its course paid when it was taken; given back when it fails by the
    -- platform's fault.
    ADD COLUMN course_cost double precision NOT NULL DEFAULT 0;
-- One step through this index finds the next course, the next learner of a
-- course, or a learner's oldest run, however many wait.
CREATE INDEX queue_flows ON validation.queue (lane, (coalesce(course_id, '')), user_id, position) WHERE lease_token IS NULL;
CREATE INDEX queue_running ON validation.queue ((coalesce(course_id, ''))) WHERE lease_token IS NOT NULL;
DROP INDEX validation.queue_waiting;

-- Bulk work is shared out by a time of its own, so that re-judging costs
-- learners none of their turns.
ALTER TABLE validation.shares ADD COLUMN lane smallint NOT NULL DEFAULT 0;
ALTER TABLE validation.shares DROP CONSTRAINT shares_pkey;
ALTER TABLE validation.shares ADD PRIMARY KEY (lane, kind, course_id, user_id);

-- Operational: how a course's code is judged. A course without a row has the
-- defaults.
CREATE TABLE validation.course_policies (
    course_id          text             PRIMARY KEY,
    weight             double precision NOT NULL CHECK (weight >= 0.1 AND weight <= 10),
    -- 0 is without limit.
    max_parallel       integer          NOT NULL CHECK (max_parallel >= 0),
    -- 0 is the server's.
    max_pending        integer          NOT NULL CHECK (max_pending >= 0),
    required_integrity text             NOT NULL CHECK (required_integrity IN ('', 'shared', 'split')),
    updated_at         timestamptz      NOT NULL
);
ALTER TABLE validation.course_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.course_policies FORCE ROW LEVEL SECURITY;
CREATE POLICY class ON validation.course_policies TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin()) WITH CHECK (core.teaches(course_id) OR core.is_admin());
-- It holds nothing of a person, and what a learner submits is bound by it.
CREATE POLICY settings ON validation.course_policies FOR SELECT TO tracker_user, tracker_teacher USING (true);
CREATE POLICY system ON validation.course_policies TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT ON validation.course_policies TO tracker_user;
GRANT SELECT, INSERT, UPDATE ON validation.course_policies TO tracker_teacher, tracker_system;

-- Operational: who changed a policy last. Apart, so that the policy stays when
-- the person is erased.
CREATE TABLE validation.policy_authors (
    course_id  text        PRIMARY KEY,
    user_id    text        NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX policy_authors_of_user ON validation.policy_authors (user_id);
ALTER TABLE validation.policy_authors ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.policy_authors FORCE ROW LEVEL SECURITY;
CREATE POLICY class ON validation.policy_authors TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin()) WITH CHECK (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON validation.policy_authors TO tracker_system USING (true) WITH CHECK (true);
-- Learners see no row of it; the one statement that reads a policy joins it.
GRANT SELECT ON validation.policy_authors TO tracker_user;
GRANT SELECT, INSERT, UPDATE ON validation.policy_authors TO tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON validation.policy_authors TO tracker_system;

-- Operational: what was asked to be judged again. The runs hang on it by id.
CREATE TABLE validation.rejudgings (
    id         uuid        PRIMARY KEY,
    -- Null for a task of no course.
    course_id  text,
    -- Null for a whole course.
    task_id    uuid,
    user_id    text        NOT NULL,
    created_at timestamptz NOT NULL,
    -- The last task that was looked at; null before the first.
    cursor     uuid,
    -- Tasks whose newest snapshot waits or runs anyway, or that nothing here judges.
    skipped    integer     NOT NULL,
    listed     boolean     NOT NULL
);
CREATE INDEX rejudgings_of_user ON validation.rejudgings (user_id);
ALTER TABLE validation.rejudgings ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.rejudgings FORCE ROW LEVEL SECURITY;
CREATE POLICY class ON validation.rejudgings TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin()) WITH CHECK (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON validation.rejudgings TO tracker_system USING (true) WITH CHECK (true);
-- Learners see no row of it.
GRANT SELECT ON validation.rejudgings TO tracker_user;
GRANT SELECT, INSERT ON validation.rejudgings TO tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON validation.rejudgings TO tracker_system;

-- Operational: the servers that judge, and how many runs each does at a time.
CREATE TABLE validation.workers (
    name    text        PRIMARY KEY,
    slots   integer     NOT NULL,
    seen_at timestamptz NOT NULL
);
ALTER TABLE validation.workers ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.workers FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON validation.workers TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON validation.workers TO tracker_system;

-- Operational: how long runs of a kind lasted of late.
CREATE TABLE validation.durations (
    kind    text             PRIMARY KEY,
    seconds double precision NOT NULL,
    runs    bigint           NOT NULL
);
ALTER TABLE validation.durations ENABLE ROW LEVEL SECURITY;
ALTER TABLE validation.durations FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON validation.durations TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON validation.durations TO tracker_system;

ALTER TABLE validation.runs
    ADD COLUMN reason           text    NOT NULL DEFAULT 'submitted' CHECK (reason IN ('submitted', 'rejudged')),
    ADD COLUMN rejudging_id     uuid,
    -- What a re-judged snapshot had before.
    ADD COLUMN previous_verdict text,
    -- The task's tests kept it from being judged.
    ADD COLUMN task_problem     boolean NOT NULL DEFAULT false;
CREATE INDEX runs_of_rejudging ON validation.runs (rejudging_id) WHERE rejudging_id IS NOT NULL;
CREATE INDEX runs_with_problem ON validation.runs (course_id, task_id, id) WHERE task_problem;
-- The tasks of a course in their order.
CREATE INDEX snapshots_of_course ON validation.code_snapshots (course_id, task_id, number);

-- +goose Down
DROP INDEX validation.snapshots_of_course;
DROP INDEX validation.runs_with_problem;
DROP INDEX validation.runs_of_rejudging;
ALTER TABLE validation.runs DROP COLUMN reason, DROP COLUMN rejudging_id, DROP COLUMN previous_verdict, DROP COLUMN task_problem;
DROP TABLE validation.durations;
DROP TABLE validation.workers;
DROP TABLE validation.rejudgings;
DROP TABLE validation.policy_authors;
DROP TABLE validation.course_policies;
DELETE FROM validation.shares WHERE lane <> 0;
ALTER TABLE validation.shares DROP CONSTRAINT shares_pkey;
ALTER TABLE validation.shares DROP COLUMN lane;
ALTER TABLE validation.shares ADD PRIMARY KEY (kind, course_id, user_id);
CREATE INDEX queue_waiting ON validation.queue (lane, position) WHERE lease_token IS NULL;
DROP INDEX validation.queue_running;
DROP INDEX validation.queue_flows;
ALTER TABLE validation.queue DROP COLUMN kind, DROP COLUMN leased_at, DROP COLUMN course_cost;
