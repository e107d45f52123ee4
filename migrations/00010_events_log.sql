-- The log: streams, and events in the order of their commit. Nothing but
-- events.append writes either.

-- +goose Up
CREATE SCHEMA events;
GRANT USAGE ON SCHEMA events TO tracker_user, tracker_teacher, tracker_system;

CREATE TABLE events.streams (
    -- The type, a colon, the id of the entity. Byte order makes a type a range.
    stream_id  text COLLATE "C" PRIMARY KEY,
    type       text        NOT NULL,
    -- Null for streams that are nobody's data.
    subject_id text,
    course_id  text,
    -- How many events it has; optimistic concurrency rests on it.
    version    bigint      NOT NULL CHECK (version > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX streams_subject ON events.streams (subject_id);
ALTER TABLE events.streams ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.streams FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON events.streams TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON events.streams TO tracker_system;

CREATE TABLE events.events (
    position       bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
    event_id       uuid        NOT NULL,
    stream_id      text COLLATE "C" NOT NULL,
    version        bigint      NOT NULL,
    type           text        NOT NULL,
    schema_version integer     NOT NULL,
    subject_id     text,
    course_id      text,
    -- What the payload is about, for lists of a goal's or a task's events.
    goal_id        uuid,
    task_id        uuid,
    -- json, not jsonb: kept as it was written, and cheaper to write.
    data           json        NOT NULL,
    meta           json        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    UNIQUE (stream_id, version)
);
CREATE INDEX events_subject ON events.events (subject_id, position);
CREATE INDEX events_course ON events.events (course_id, position) WHERE course_id IS NOT NULL;
CREATE INDEX events_goal ON events.events (goal_id, position) WHERE goal_id IS NOT NULL;
CREATE INDEX events_task ON events.events (task_id, position) WHERE task_id IS NOT NULL;
ALTER TABLE events.events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.events FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON events.events FOR SELECT TO tracker_user, tracker_teacher USING (subject_id = core.actor_id());
CREATE POLICY class ON events.events FOR SELECT TO tracker_teacher USING (core.teaches(course_id) OR core.is_admin());
CREATE POLICY system ON events.events TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT ON events.events TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT ON events.events TO tracker_system;
GRANT SELECT ON SEQUENCE events.events_position_seq TO tracker_user, tracker_teacher, tracker_system;
GRANT USAGE ON SEQUENCE events.events_position_seq TO tracker_system;

-- The grants keep the server's roles from changing history; this keeps the
-- login role from doing so by a slip.
-- +goose StatementBegin
CREATE FUNCTION events.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only, % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events.events
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();

-- A writer's advisory lock says in its key from where in the log on it writes:
-- 16 bits that mark it as ours ("EV"), 48 bits of position.
CREATE FUNCTION events.writer_key(from_position bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (17750::bigint << 48) | from_position;

-- Up to where the log is settled: every event at or before it is committed and
-- visible to a statement that starts now, or will never be. The order of the
-- two reads matters: a writer that takes its lock after the second one gets
-- positions beyond the first.
-- +goose StatementBegin
CREATE FUNCTION events.horizon() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    last_position bigint;
    writing_from  bigint;
BEGIN
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO last_position FROM events.events_position_seq;
    SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO writing_from
    FROM pg_locks
    WHERE locktype = 'advisory' AND mode = 'ShareLock' AND objsubid = 1 AND classid::bigint >> 16 = 17750
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
    RETURN least(last_position, writing_from);
END
$$;
-- +goose StatementEnd

-- The one way into the log. Streams come sorted, so that writers lock them in
-- one order; expected is -1 where any version will do. A stale version raises
-- EV001 with "<stream> <expected> <current>" as its detail.
-- +goose StatementBegin
CREATE FUNCTION events.append(
    stream_ids text[], stream_types text[], subject_ids text[], course_ids text[], expected bigint[], counts integer[],
    -- One entry per event; event_streams are indexes into the arrays above, offsets count in the stream from 1.
    event_ids uuid[], event_streams integer[], offsets integer[], types text[], schema_versions integer[],
    goal_ids uuid[], task_ids uuid[], payloads text[],
    event_meta json, occurred timestamptz
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    base    bigint;
    bases   bigint[] := expected;
    current events.streams;
    of      integer;
    goal    uuid;
BEGIN
    FOR i IN 1 .. cardinality(stream_ids) LOOP
        IF expected[i] = 0 THEN
            INSERT INTO events.streams (stream_id, type, subject_id, course_id, version, created_at, updated_at)
            VALUES (stream_ids[i], stream_types[i], subject_ids[i], course_ids[i], counts[i], occurred, occurred)
            ON CONFLICT (stream_id) DO NOTHING;
        ELSIF expected[i] = -1 THEN
            INSERT INTO events.streams AS s (stream_id, type, subject_id, course_id, version, created_at, updated_at)
            VALUES (stream_ids[i], stream_types[i], subject_ids[i], course_ids[i], counts[i], occurred, occurred)
            ON CONFLICT (stream_id) DO UPDATE
                SET version = s.version + excluded.version, course_id = excluded.course_id, updated_at = occurred
                WHERE s.subject_id IS NOT DISTINCT FROM excluded.subject_id
            RETURNING s.version - counts[i] INTO base;
        ELSE
            UPDATE events.streams s
            SET version = expected[i] + counts[i], course_id = course_ids[i], updated_at = occurred
            WHERE s.stream_id = stream_ids[i] AND s.version = expected[i]
              AND s.subject_id IS NOT DISTINCT FROM subject_ids[i];
        END IF;
        IF NOT FOUND THEN
            SELECT * INTO current FROM events.streams s WHERE s.stream_id = stream_ids[i];
            IF current.version = expected[i] OR expected[i] = -1 THEN
                RAISE EXCEPTION 'stream % belongs to another subject', stream_ids[i];
            END IF;
            RAISE EXCEPTION 'stream % has another version', stream_ids[i] USING ERRCODE = 'EV001',
                DETAIL = format('%s %s %s', stream_ids[i], expected[i], coalesce(current.version, 0));
        END IF;
        IF expected[i] = -1 THEN
            bases[i] := base;
        END IF;
    END LOOP;

    -- Last before the insert, so that readers wait for us no longer than they must.
    PERFORM pg_advisory_xact_lock_shared(events.writer_key(CASE WHEN is_called THEN last_value ELSE 0 END))
    FROM events.events_position_seq;

    -- One by one: the plan of an INSERT from arrays is made anew for each call,
    -- which costs more than the insert.
    FOR i IN 1 .. cardinality(event_ids) LOOP
        goal := goal_ids[i];
        IF goal IS NULL AND task_ids[i] IS NOT NULL THEN
            -- Payloads about a task don't always name its goal; an earlier one did.
            SELECT e.goal_id INTO goal FROM events.events e
            WHERE e.task_id = task_ids[i] AND e.goal_id IS NOT NULL ORDER BY e.position LIMIT 1;
        END IF;
        of := event_streams[i];
        INSERT INTO events.events (event_id, stream_id, version, type, schema_version, subject_id, course_id,
                                   goal_id, task_id, data, meta, occurred_at)
        VALUES (event_ids[i], stream_ids[of], bases[of] + offsets[i], types[i], schema_versions[i],
                subject_ids[of], course_ids[of], goal, task_ids[i], payloads[i]::json, event_meta, occurred);
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP SCHEMA events CASCADE;
