-- What calls of language models cost, for whom: the ledger that budgets are
-- reserved in before a call and settled in after it.

-- +goose Up
CREATE SCHEMA llm;
GRANT USAGE ON SCHEMA llm TO tracker_user, tracker_teacher, tracker_system;

CREATE TABLE llm.usage (
    id            uuid        PRIMARY KEY,
    -- Null for calls that the server made for nobody, such as indexing a course.
    user_id       text        CHECK (length(user_id) BETWEEN 1 AND 36),
    course_id     text        CHECK (length(course_id) BETWEEN 1 AND 36),
    purpose       text        NOT NULL,
    provider      text        NOT NULL,
    model         text        NOT NULL,
    input_tokens  bigint      NOT NULL CHECK (input_tokens >= 0),
    output_tokens bigint      NOT NULL CHECK (output_tokens >= 0),
    -- Millionths of a US dollar; an estimate from above until it is settled.
    cost_micros   bigint      NOT NULL CHECK (cost_micros >= 0),
    price_version text        NOT NULL,
    run_id        text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    -- Null while the call is under way. A crash leaves it null: the estimate
    -- stands, since the provider may have billed the call.
    settled_at    timestamptz
);
CREATE INDEX usage_by_user ON llm.usage (user_id, created_at);
CREATE INDEX usage_by_course ON llm.usage (course_id, created_at) WHERE course_id IS NOT NULL;
CREATE INDEX usage_by_time ON llm.usage (created_at);

ALTER TABLE llm.usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE llm.usage FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON llm.usage FOR SELECT TO tracker_user, tracker_teacher USING (user_id = core.actor_id());
CREATE POLICY system ON llm.usage TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT ON llm.usage TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON llm.usage TO tracker_system;

-- +goose Down
DROP TABLE llm.usage;
DROP SCHEMA llm;
