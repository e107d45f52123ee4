-- The three roles a statement may run under, the schema of core, and pgvector.
-- Each module grants these roles what they need in its own migrations.

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
    wanted text;
    tries  int;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['tracker_user', 'tracker_teacher', 'tracker_system'] LOOP
        -- Roles belong to the whole cluster, and another database of it may be
        -- creating them right now, outside our lock.
        FOR tries IN 1..20 LOOP
            BEGIN
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                    EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', wanted);
                END IF;
                -- The login role needs to be a member for SET ROLE.
                IF NOT EXISTS (
                    SELECT FROM pg_auth_members m
                    JOIN pg_roles r ON r.oid = m.roleid
                    JOIN pg_roles u ON u.oid = m.member
                    WHERE r.rolname = wanted AND u.rolname = current_user
                ) THEN
                    EXECUTE format('GRANT %I TO %I', wanted, current_user);
                END IF;
                EXIT;
            EXCEPTION
                -- internal_error: "tuple concurrently updated", as two GRANTs say.
                WHEN duplicate_object OR unique_violation OR internal_error THEN
                    IF tries = 20 THEN RAISE; END IF;
                    PERFORM pg_sleep(0.05 * random());
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'database user % may not create or be granted role %', current_user, wanted
                        USING ERRCODE = 'insufficient_privilege',
                              HINT = format('Let a superuser run once: CREATE ROLE %I NOLOGIN; GRANT %I TO %I;', wanted, wanted, current_user);
            END;
        END LOOP;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    have text;
BEGIN
    SELECT coalesce(installed_version, default_version) INTO have
    FROM pg_available_extensions WHERE name = 'vector';
    IF have IS NULL THEN
        RAISE EXCEPTION 'this PostgreSQL server has no pgvector, and the tracker needs pgvector 0.8 or newer'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Install pgvector >= 0.8 on the database server (make setup does so on this machine) and start again.';
    END IF;
    CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;
    SELECT extversion INTO have FROM pg_extension WHERE extname = 'vector';
    IF string_to_array(have, '.')::int[] < ARRAY[0, 8] THEN
        ALTER EXTENSION vector UPDATE;
        SELECT extversion INTO have FROM pg_extension WHERE extname = 'vector';
    END IF;
    IF string_to_array(have, '.')::int[] < ARRAY[0, 8] THEN
        RAISE EXCEPTION 'this PostgreSQL server has pgvector %, and the tracker needs pgvector 0.8 or newer', have
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Install pgvector >= 0.8 on the database server (make setup does so on this machine) and start again.';
    END IF;
END
$$;
-- +goose StatementEnd

CREATE SCHEMA IF NOT EXISTS core;
GRANT USAGE ON SCHEMA core TO tracker_user, tracker_teacher, tracker_system;

-- Who the current transaction acts for: set with its role, null when nobody is.
CREATE FUNCTION core.actor_id() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('tracker.subject', true), '');

-- +goose Down
-- Roles stay, other databases of the cluster may use them; the schema stays,
-- the record of migrations is in it; the extension may have been there before.
DROP FUNCTION core.actor_id();
REVOKE USAGE ON SCHEMA core FROM tracker_user, tracker_teacher, tracker_system;
