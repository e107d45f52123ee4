-- The team reaches the runs of its courses, and proofs of exercises are kept.

-- +goose Up
-- A teacher reads, answers, approves, cancels and forks what their learners run.
CREATE POLICY class ON agents.runs TO tracker_teacher
    USING (core.teaches(course_id) OR core.is_admin()) WITH CHECK (core.teaches(course_id) OR core.is_admin());
CREATE INDEX runs_of_course ON agents.runs (course_id, created_at DESC, id DESC) WHERE course_id IS NOT NULL;

-- What model calls took, by step; who may see the run may see its cost.
CREATE POLICY of_run ON agents.effects FOR SELECT TO tracker_user, tracker_teacher
    USING (EXISTS (SELECT FROM agents.runs r WHERE r.id = run_id));
-- Not what they said: only the columns of the cost.
GRANT SELECT (run_id, step, kind, provider, model, input_tokens, output_tokens, cost_micros) ON agents.effects TO tracker_user, tracker_teacher;

-- Derived: what came of trying exercises out, by a digest over their files and
-- what judged them. Of nobody.
CREATE TABLE agents.proofs (
    digest   text        PRIMARY KEY,
    proof    jsonb       NOT NULL,
    made_at  timestamptz NOT NULL
);
ALTER TABLE agents.proofs ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents.proofs FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON agents.proofs TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON agents.proofs TO tracker_system;

-- +goose Down
DROP TABLE agents.proofs;
REVOKE SELECT (run_id, step, kind, provider, model, input_tokens, output_tokens, cost_micros) ON agents.effects FROM tracker_user, tracker_teacher;
DROP POLICY of_run ON agents.effects;
DROP INDEX agents.runs_of_course;
DROP POLICY class ON agents.runs;
