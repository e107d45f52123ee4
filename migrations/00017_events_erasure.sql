-- Erasure of people: who is being erased and who was, and the one narrow way in
-- which anything leaves the log.

-- +goose Up
CREATE TABLE events.erasures (
    id           uuid        PRIMARY KEY,
    -- The order in which replicas hear of them.
    number       bigint      GENERATED ALWAYS AS IDENTITY,
    -- Keyed; the key is outside the database. It stays, so that the person does.
    subject_hash bytea       NOT NULL UNIQUE,
    -- Which key made the hash.
    key_id       text        NOT NULL,
    -- Who it is, for as long as there is something left to erase.
    subject_id   text        UNIQUE,
    -- Who asked: academy, operator, or ledger after a restore.
    source       text        NOT NULL,
    state        text        NOT NULL CHECK (state IN ('running', 'done')),
    -- Rows by table: found when it began, deleted, and changed because they named the person.
    found        jsonb,
    erased       jsonb       NOT NULL DEFAULT '{}',
    replaced     jsonb       NOT NULL DEFAULT '{}',
    holder       text,
    leased_until timestamptz NOT NULL DEFAULT '-infinity',
    attempts     integer     NOT NULL DEFAULT 0,
    problem      text        NOT NULL DEFAULT '',
    requested_at timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    -- As it was signed; nothing in it is personal.
    receipt      text,
    CHECK ((state = 'done') = (subject_id IS NULL))
);
CREATE INDEX erasures_running ON events.erasures (leased_until) WHERE state = 'running';
CREATE INDEX erasures_number ON events.erasures (number);
ALTER TABLE events.erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE events.erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON events.erasures TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON events.erasures TO tracker_system;

-- An event leaves the log only with the person it is about, while that person is
-- being erased. Of others' events only the name of who acted may be taken out.
-- +goose StatementBegin
CREATE FUNCTION events.refuse_change_of_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM events.erasures e WHERE e.subject_id = OLD.subject_id) THEN
            RETURN OLD;
        END IF;
    ELSIF NEW.meta->>'actor' = 'erased'
        AND EXISTS (SELECT FROM events.erasures e WHERE e.subject_id = OLD.meta->>'actor')
        AND NEW.meta::jsonb - 'actor' = OLD.meta::jsonb - 'actor'
        AND to_jsonb(NEW) - 'meta' = to_jsonb(OLD) - 'meta' AND NEW.data::text = OLD.data::text THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the event log is append-only, % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
-- +goose StatementEnd
DROP TRIGGER append_only ON events.events;
CREATE TRIGGER append_only BEFORE TRUNCATE ON events.events
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
CREATE TRIGGER erase_only BEFORE UPDATE OR DELETE ON events.events
    FOR EACH ROW EXECUTE FUNCTION events.refuse_change_of_row();
GRANT DELETE, UPDATE (meta) ON events.events TO tracker_system;

-- Streams go after their events, and nothing is written to one of a person who
-- is being erased: work that was under way fails instead of leaving something.
-- +goose StatementBegin
CREATE FUNCTION events.guard_stream() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT FROM events.erasures e WHERE e.subject_id = OLD.subject_id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'streams are kept, DELETE is refused' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (SELECT FROM events.erasures e WHERE e.subject_id = NEW.subject_id) THEN
        RAISE EXCEPTION 'the person of stream % is being erased', NEW.stream_id USING ERRCODE = 'EV002';
    END IF;
    RETURN NEW;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON events.streams
    FOR EACH ROW WHEN (NEW.subject_id IS NOT NULL) EXECUTE FUNCTION events.guard_stream();
CREATE TRIGGER erase_only BEFORE DELETE ON events.streams
    FOR EACH ROW EXECUTE FUNCTION events.guard_stream();
GRANT DELETE ON events.streams TO tracker_system;

-- +goose Down
REVOKE DELETE ON events.streams FROM tracker_system;
DROP TRIGGER erase_only ON events.streams;
DROP TRIGGER guard ON events.streams;
DROP FUNCTION events.guard_stream();
REVOKE DELETE, UPDATE (meta) ON events.events FROM tracker_system;
DROP TRIGGER erase_only ON events.events;
DROP TRIGGER append_only ON events.events;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events.events
    FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change();
DROP FUNCTION events.refuse_change_of_row();
DROP TABLE events.erasures;
