-- What is to be seen of each criterion, where no tests judge a submission.

-- +goose Up
ALTER TABLE agents.feedback ADD COLUMN rubric json;

-- +goose Down
ALTER TABLE agents.feedback DROP COLUMN rubric;
