-- Hints between replicas where no connection can LISTEN, behind a pooler in
-- transaction mode: a replica polls for what the others wrote in the last
-- seconds. Losing all of it loses nothing, so it is not logged.

-- +goose Up
CREATE UNLOGGED TABLE core.notices (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel text        NOT NULL,
    payload text        NOT NULL,
    told_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE core.notices ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.notices FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON core.notices TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON core.notices TO tracker_system;

-- +goose Down
DROP TABLE core.notices;
