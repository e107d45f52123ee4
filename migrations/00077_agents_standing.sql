-- What a dispute can come to, and evaluations that can be named.

-- +goose Up
ALTER TABLE agents.feedback DROP CONSTRAINT feedback_dispute_check;
ALTER TABLE agents.feedback ADD CONSTRAINT feedback_dispute_check
    CHECK (dispute IN ('', 'open', 'upheld', 'withdrawn', 'corrected', 'unclear'));
-- The stream that tells of it; older ones get an id of their own.
ALTER TABLE agents.evaluations ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX evaluations_id ON agents.evaluations (id);

-- +goose Down
DROP INDEX agents.evaluations_id;
ALTER TABLE agents.evaluations DROP COLUMN id;
UPDATE agents.feedback SET dispute = 'upheld' WHERE dispute = 'unclear';
UPDATE agents.feedback SET dispute = 'withdrawn' WHERE dispute = 'corrected';
ALTER TABLE agents.feedback DROP CONSTRAINT feedback_dispute_check;
ALTER TABLE agents.feedback ADD CONSTRAINT feedback_dispute_check CHECK (dispute IN ('', 'open', 'upheld', 'withdrawn'));
