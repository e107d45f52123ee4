-- Runs of agents' graphs: checkpoints, effects, and the queue of nodes.

-- +goose Up
CREATE SCHEMA agents;
GRANT USAGE ON SCHEMA agents TO tracker_user, tracker_teacher, tracker_system;

-- Facts: a run goes on from what stands here.
CREATE TABLE agents.runs (
    id                uuid        PRIMARY KEY,
    user_id           text        NOT NULL,
    course_id         text,
    goal_id           uuid,
    task_id           uuid,
    -- Which run of the validator it reviews.
    validation_run_id uuid,
    graph             text        NOT NULL,
    graph_version     integer     NOT NULL,
    status            text        NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'done', 'failed', 'cancelled')),
    node              text        NOT NULL,
    -- How many executions were numbered, and how many of them ended.
    numbered          integer     NOT NULL,
    ended             integer     NOT NULL,
    state             jsonb       NOT NULL,
    waiting_for       text        NOT NULL CHECK (waiting_for IN ('', 'answer', 'approval', 'material')),
    question          json,
    -- When a run that waits for material looks by itself, and how long it waited
    -- last.
    wake_at           timestamptz,
    wake_seconds      integer     NOT NULL,
    message_en        text        NOT NULL,
    message_es        text        NOT NULL,
    label             text        NOT NULL,
    model_calls       integer     NOT NULL,
    input_tokens      bigint      NOT NULL,
    output_tokens     bigint      NOT NULL,
    cost_micros       bigint      NOT NULL,
    -- The checkpoint that it started from, when it was forked.
    forked_from       uuid,
    forked_step       integer,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    -- Of its stream; 0 without events.
    version           bigint      NOT NULL
);
-- The order of lists: newest first.
CREATE INDEX runs_of_user ON agents.runs (user_id, created_at DESC, id DESC);
CREATE INDEX runs_of_goal ON agents.runs (goal_id, created_at DESC, id DESC) WHERE goal_id IS NOT NULL;
CREATE INDEX runs_of_task ON agents.runs (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX runs_to_wake ON agents.runs (wake_at) WHERE wake_at IS NOT NULL;
-- One plan of a goal at a time; one review of a verdict.
CREATE UNIQUE INDEX runs_planning ON agents.runs (goal_id) WHERE graph = 'planner' AND status IN ('queued', 'running', 'waiting');
CREATE UNIQUE INDEX runs_reviewing ON agents.runs (validation_run_id) WHERE graph = 'reviewer';

-- Facts: the state after each execution; forks start here.
CREATE TABLE agents.checkpoints (
    run_id      uuid        NOT NULL REFERENCES agents.runs (id) ON DELETE CASCADE,
    -- The execution's number; 0 is the beginning.
    step        integer     NOT NULL,
    -- The order in which executions ended; another one only where branches ran
    -- side by side.
    position    integer     NOT NULL,
    node        text        NOT NULL,
    outcome     text        NOT NULL,
    state       jsonb       NOT NULL,
    -- Executions that were due after it: [{"step", "node", "input", "held"}].
    due         jsonb       NOT NULL,
    attempts    integer     NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, step)
);

-- Facts: calls of models and effects on the outside, each at most once. A row
-- without result is a call whose outcome died with its worker; it is not made
-- again.
CREATE TABLE agents.effects (
    run_id        uuid        NOT NULL REFERENCES agents.runs (id) ON DELETE CASCADE,
    step          integer     NOT NULL,
    key           text        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('model', 'effect')),
    result        jsonb,
    error         text        NOT NULL,
    provider      text        NOT NULL,
    model         text        NOT NULL,
    input_tokens  bigint      NOT NULL,
    output_tokens bigint      NOT NULL,
    cost_micros   bigint      NOT NULL,
    begun_at      timestamptz NOT NULL,
    ended_at      timestamptz,
    PRIMARY KEY (run_id, step, key)
);

-- Operational: executions of nodes that are due, or held by a worker under a
-- lease. A River job is only a ticket to take the fairest of them.
CREATE TABLE agents.queue (
    run_id       uuid             NOT NULL REFERENCES agents.runs (id) ON DELETE CASCADE,
    step         integer          NOT NULL,
    node         text             NOT NULL,
    -- What a branch was given, or what a waiting node was answered.
    input        jsonb,
    -- A join waits for the run's other branches.
    held         boolean          NOT NULL,
    user_id      text             NOT NULL,
    -- 0: somebody is looking at it; 1: in the background.
    lane         smallint         NOT NULL,
    -- Learners take turns: each further execution of one is due one turn later.
    virtual_time double precision NOT NULL,
    enqueued_at  timestamptz      NOT NULL,
    available_at timestamptz      NOT NULL,
    attempt      integer          NOT NULL,
    lease_token  uuid,
    lease_until  timestamptz,
    worker       text,
    PRIMARY KEY (run_id, step)
);
CREATE INDEX queue_waiting ON agents.queue (lane, virtual_time, enqueued_at) WHERE lease_token IS NULL AND NOT held;
CREATE INDEX queue_leased ON agents.queue (lease_until) WHERE lease_token IS NOT NULL;
CREATE INDEX queue_of_user ON agents.queue (user_id, virtual_time);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['runs', 'checkpoints', 'effects', 'queue'] LOOP
        EXECUTE format('ALTER TABLE agents.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE agents.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY system ON agents.%I TO tracker_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON agents.%I TO tracker_system', name);
    END LOOP;
END
$$;
-- +goose StatementEnd
CREATE POLICY own ON agents.runs TO tracker_user, tracker_teacher
    USING (user_id = core.actor_id()) WITH CHECK (user_id = core.actor_id());
GRANT SELECT, INSERT, UPDATE ON agents.runs TO tracker_user, tracker_teacher;
-- Who may see the run may see its steps: the inner table's policies apply.
CREATE POLICY of_run ON agents.checkpoints FOR SELECT TO tracker_user, tracker_teacher
    USING (EXISTS (SELECT FROM agents.runs r WHERE r.id = run_id));
GRANT SELECT ON agents.checkpoints TO tracker_user, tracker_teacher;

-- +goose Down
DROP TABLE agents.queue, agents.effects, agents.checkpoints, agents.runs;
DROP SCHEMA agents;
