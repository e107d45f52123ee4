-- How embedding spaces are filled, searched and dropped.

-- +goose Up
ALTER TABLE rag.spaces
    -- Who fills it, and until when nobody else does.
    ADD COLUMN worker      uuid,
    ADD COLUMN leased_till timestamptz,
    -- What went wrong last, for operators; empty when it goes well.
    ADD COLUMN problem     text        NOT NULL DEFAULT '',
    ADD COLUMN retired_at  timestamptz,
    -- Its weight was set by an operator and doesn't follow the built-in one.
    ADD COLUMN pinned      boolean     NOT NULL DEFAULT false;

-- One space is searched; the others are filled beside it, or wait to be dropped.
CREATE UNIQUE INDEX spaces_active ON rag.spaces ((true)) WHERE state = 'active';

-- A passage that its model can't take has a row without a vector, so that it is
-- not tried for ever.
ALTER TABLE rag.embeddings ALTER COLUMN embedding DROP NOT NULL;

-- The index of a space is made while the space is empty, and so holds nobody
-- up. It takes the tables' owner, which the server's role is not.
-- +goose StatementBegin
CREATE FUNCTION rag.index_space(space integer, dims integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    home name := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'vector');
BEGIN
    EXECUTE format('CREATE INDEX IF NOT EXISTS %2$I ON rag.embeddings USING hnsw ((embedding::%1$I.halfvec(%4$s)) %1$I.halfvec_cosine_ops)
        WHERE space_id = %3$s', home, 'embeddings_space_' || space, space, dims);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION rag.unindex_space(space integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DROP INDEX IF EXISTS rag.%I', 'embeddings_space_' || space);
END
$$;
-- +goose StatementEnd

REVOKE ALL ON FUNCTION rag.index_space(integer, integer), rag.unindex_space(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rag.index_space(integer, integer), rag.unindex_space(integer) TO tracker_system;

-- The nearest passages of some collections, as the caller may see them. Few are
-- all compared; among many the space's own index looks, on and on until it has
-- enough that lie in these collections (with few below 0 always).
-- +goose StatementBegin
CREATE FUNCTION rag.nearest(space integer, dims integer, query halfvec, collections integer[],
    amount integer, breadth integer, few integer)
    RETURNS TABLE (chunk bigint, collection_id integer, cosine double precision)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
    here  bigint;
    total double precision;
    found integer;
BEGIN
    SELECT coalesce(sum(c.chunks), 0) INTO here FROM rag.collections c WHERE c.id = ANY (collections);
    SELECT greatest(k.reltuples, here) INTO total FROM pg_class k WHERE k.oid = 'rag.chunks'::regclass;
    -- The index has to pass total/here others for each that lies here, and each
    -- costs it about fifty times what a plain comparison does.
    IF few < 0 OR here > few AND here::double precision * here > 50.0 * amount * total THEN
        PERFORM set_config('hnsw.ef_search', breadth::text, true), set_config('hnsw.iterative_scan', 'strict_order', true),
            set_config('hnsw.max_scan_tuples', '40000', true);
        RETURN QUERY EXECUTE format('SELECT e.chunk, e.collection_id, 1 - (e.embedding::halfvec(%1$s) <=> $1::halfvec(%1$s))
            FROM rag.embeddings e WHERE e.space_id = %2$s AND e.collection_id = ANY ($2)
            ORDER BY e.embedding::halfvec(%1$s) <=> $1::halfvec(%1$s) LIMIT $3', dims, space)
            USING query, collections, amount;
        GET DIAGNOSTICS found = ROW_COUNT;
        IF found >= amount OR found >= here THEN
            RETURN;
        END IF;
        -- Else they lie far from the question among very many others. What was
        -- found comes again then: take each passage once.
    END IF;
    RETURN QUERY EXECUTE 'SELECT e.chunk, e.collection_id, 1 - (e.embedding <=> $1)
        FROM rag.embeddings e WHERE e.space_id = $2 AND e.collection_id = ANY ($3) AND e.embedding IS NOT NULL
        ORDER BY e.embedding <=> $1 LIMIT $4'
        USING query, space, collections, amount;
END
$$;
-- +goose StatementEnd
REVOKE ALL ON FUNCTION rag.nearest(integer, integer, halfvec, integer[], integer, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rag.nearest(integer, integer, halfvec, integer[], integer, integer, integer)
    TO tracker_user, tracker_teacher, tracker_system;

-- +goose Down
DROP FUNCTION rag.nearest(integer, integer, halfvec, integer[], integer, integer, integer);
-- +goose StatementBegin
DO $$
DECLARE
    one integer;
BEGIN
    FOR one IN SELECT id FROM rag.spaces LOOP
        PERFORM rag.unindex_space(one);
    END LOOP;
END
$$;
-- +goose StatementEnd
DROP FUNCTION rag.unindex_space(integer), rag.index_space(integer, integer);
DELETE FROM rag.embeddings WHERE embedding IS NULL;
ALTER TABLE rag.embeddings ALTER COLUMN embedding SET NOT NULL;
DROP INDEX rag.spaces_active;
ALTER TABLE rag.spaces DROP COLUMN worker, DROP COLUMN leased_till, DROP COLUMN problem, DROP COLUMN retired_at, DROP COLUMN pinned;
