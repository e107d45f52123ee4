-- What people may do, counted for all replicas together where no Redis does so.
-- Losing all of it lets everybody begin anew, so none of it is logged.

-- +goose Up
-- A token bucket for each limit and person. Amounts are microseconds: a token
-- costs as many as it takes to come back, so a microsecond adds one.
CREATE UNLOGGED TABLE core.limits (
    subject_id text        NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 36),
    name       text        NOT NULL,
    -- What was there at that time, in microseconds since 1970.
    credit     bigint      NOT NULL,
    counted_at bigint      NOT NULL,
    -- Tokens that replicas took ahead, in the order in which they come to nothing.
    replicas   text[]      NOT NULL DEFAULT '{}',
    amounts    bigint[]    NOT NULL DEFAULT '{}',
    untils     bigint[]    NOT NULL DEFAULT '{}',
    -- From here on the bucket is full, as one that nobody has touched.
    expires_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, name)
) WITH (fillfactor = 50);
ALTER TABLE core.limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.limits FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON core.limits TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON core.limits TO tracker_system;

-- Takes want tokens, and some more that the replica may spend until life is over;
-- or says how long to wait. modules/core/limits/bucket.go says why it does so.
-- +goose StatementBegin
CREATE FUNCTION core.take_tokens(who text, what text, replica text, price bigint, capacity bigint, want bigint, life bigint, clock bigint,
                                 OUT granted bigint, OUT wait bigint)
LANGUAGE plpgsql AS $$
DECLARE
    b       core.limits;
    t       bigint;
    held    bigint;
    mine    int;
    quarter bigint := least(250000, capacity / 10);
    extra   bigint;
BEGIN
    LOOP
        SELECT l.subject_id, l.name, l.credit, l.counted_at, l.replicas, l.amounts, l.untils, l.expires_at INTO b
        FROM core.limits l WHERE l.subject_id = who AND l.name = what FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO core.limits (subject_id, name, credit, counted_at) VALUES (who, what, capacity, 0) ON CONFLICT DO NOTHING;
    END LOOP;
    t := coalesce(clock, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    SELECT coalesce(sum(a), 0) INTO held FROM unnest(b.amounts) AS a;
    WHILE cardinality(b.untils) > 0 AND b.untils[1] <= t LOOP
        b.credit := least(capacity - held, b.credit + greatest(b.untils[1] - b.counted_at, 0));
        b.counted_at := greatest(b.counted_at, b.untils[1]);
        held := held - b.amounts[1];
        b.replicas := b.replicas[2:];
        b.amounts := b.amounts[2:];
        b.untils := b.untils[2:];
    END LOOP;
    b.credit := least(capacity - held, b.credit + greatest(t - b.counted_at, 0));
    b.counted_at := greatest(b.counted_at, t);
    mine := array_position(b.replicas, replica);
    IF mine IS NOT NULL THEN
        held := held - b.amounts[mine];
        b.replicas := b.replicas[:mine - 1] || b.replicas[mine + 1:];
        b.amounts := b.amounts[:mine - 1] || b.amounts[mine + 1:];
        b.untils := b.untils[:mine - 1] || b.untils[mine + 1:];
    END IF;
    IF b.credit < want * price THEN
        granted := 0;
        wait := greatest(want * price, quarter) - b.credit;
    ELSE
        wait := 0;
        b.credit := b.credit - want * price;
        extra := least(greatest(b.credit / 4, quarter), capacity / 10, capacity / 2 - held, b.credit) / price;
        IF extra < 1 OR life < 1 THEN
            extra := 0;
        ELSE
            b.credit := b.credit - extra * price;
            b.replicas := b.replicas || replica;
            b.amounts := b.amounts || extra * price;
            b.untils := b.untils || t + life;
        END IF;
        granted := want + extra;
    END IF;
    UPDATE core.limits l SET credit = b.credit, counted_at = b.counted_at, replicas = b.replicas, amounts = b.amounts, untils = b.untils,
        expires_at = clock_timestamp() + (capacity + life) * interval '1 microsecond'
    WHERE l.subject_id = who AND l.name = what;
END
$$;
-- +goose StatementEnd

-- Who shares what people hold: what a replica says counts until this time.
CREATE UNLOGGED TABLE core.limit_replicas (
    id          text        PRIMARY KEY,
    alive_until timestamptz NOT NULL
);
ALTER TABLE core.limit_replicas ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.limit_replicas FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON core.limit_replicas TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON core.limit_replicas TO tracker_system;

-- How many places of a kind, such as open connections, a person holds at each.
CREATE UNLOGGED TABLE core.limit_places (
    subject_id text   NOT NULL CHECK (length(subject_id) BETWEEN 1 AND 36),
    name       text   NOT NULL,
    replica    text   NOT NULL,
    held       bigint NOT NULL CHECK (held > 0),
    PRIMARY KEY (subject_id, name, replica)
);
CREATE INDEX limit_places_by_replica ON core.limit_places (replica);
ALTER TABLE core.limit_places ENABLE ROW LEVEL SECURITY;
ALTER TABLE core.limit_places FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON core.limit_places TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON core.limit_places TO tracker_system;

-- Makes a replica's places so many, if no more than most are held at all that are
-- alive. Null: the replica counts as dead, and must say first what it holds.
-- +goose StatementBegin
CREATE FUNCTION core.take_place(who text, what text, this text, mine bigint, most bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    others bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(what || ':' || who, 7218));
    PERFORM FROM core.limit_replicas r WHERE r.id = this AND r.alive_until > clock_timestamp();
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(p.held), 0) INTO others
    FROM core.limit_places p JOIN core.limit_replicas r ON r.id = p.replica AND r.alive_until > clock_timestamp()
    WHERE p.subject_id = who AND p.name = what AND p.replica <> this;
    IF others + mine > most THEN
        RETURN false;
    END IF;
    INSERT INTO core.limit_places (subject_id, name, replica, held) VALUES (who, what, this, mine)
    ON CONFLICT (subject_id, name, replica) DO UPDATE SET held = excluded.held;
    RETURN true;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION core.take_place(text, text, text, bigint, bigint);
DROP TABLE core.limit_places;
DROP TABLE core.limit_replicas;
DROP FUNCTION core.take_tokens(text, text, text, bigint, bigint, bigint, bigint, bigint);
DROP TABLE core.limits;
