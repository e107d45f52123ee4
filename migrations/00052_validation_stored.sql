-- How much a learner's submissions and their reports take, so that it can be bounded.

-- +goose Up
ALTER TABLE validation.code_snapshots ADD COLUMN bytes bigint NOT NULL GENERATED ALWAYS AS (octet_length(files::text)) STORED;
ALTER TABLE validation.reports ADD COLUMN bytes bigint NOT NULL GENERATED ALWAYS AS (octet_length(report::text)) STORED;
CREATE INDEX snapshots_of_user ON validation.code_snapshots (user_id) INCLUDE (bytes);
DROP INDEX validation.reports_of_user;
CREATE INDEX reports_of_user ON validation.reports (user_id) INCLUDE (bytes);

-- +goose Down
DROP INDEX validation.snapshots_of_user;
DROP INDEX validation.reports_of_user;
CREATE INDEX reports_of_user ON validation.reports (user_id);
ALTER TABLE validation.reports DROP COLUMN bytes;
ALTER TABLE validation.code_snapshots DROP COLUMN bytes;
