-- Hints that models write.

-- +goose Up
-- One hint of a task at a time.
CREATE UNIQUE INDEX runs_hinting ON agents.runs (task_id) WHERE graph = 'hint' AND status IN ('queued', 'running', 'waiting');

-- +goose Down
DROP INDEX agents.runs_hinting;
