-- What was last heard of people serves to tell late messages apart; nothing
-- comes a month late, so it is forgotten then.

-- +goose Up
CREATE INDEX users_occurred ON academy.users (occurred_at);

-- +goose Down
DROP INDEX academy.users_occurred;
