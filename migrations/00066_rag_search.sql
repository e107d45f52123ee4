-- Faster search: the vectors of few passages are compared by a statement whose
-- plan is kept, each once; and whose collections one may read is looked up by
-- index, however many learners have one.

-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION rag.nearest(space integer, dims integer, query halfvec, collections integer[],
    amount integer, breadth integer, few integer)
    RETURNS TABLE (chunk bigint, collection_id integer, cosine double precision)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 50 AS $$
#variable_conflict use_column
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
        -- The space's index is found by the numbers in the text alone.
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
    RETURN QUERY SELECT n.chunk, n.collection_id, 1 - n.distance FROM (
        SELECT e.chunk, e.collection_id, e.embedding <=> query AS distance
        FROM rag.embeddings e WHERE e.space_id = space AND e.collection_id = ANY (collections) AND e.embedding IS NOT NULL
        ORDER BY distance LIMIT amount) n;
END
$$;
-- +goose StatementEnd

-- What the policies of rag.collections ask: whose is it, and is it a course's?
DROP INDEX rag.collections_user;
CREATE INDEX collections_user ON rag.collections (user_id, course_id);

-- +goose Down
DROP INDEX rag.collections_user;
CREATE INDEX collections_user ON rag.collections (user_id) WHERE user_id <> '';
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION rag.nearest(space integer, dims integer, query halfvec, collections integer[],
    amount integer, breadth integer, few integer)
    RETURNS TABLE (chunk bigint, collection_id integer, cosine double precision)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1000 AS $$
DECLARE
    here  bigint;
    total double precision;
    found integer;
BEGIN
    SELECT coalesce(sum(c.chunks), 0) INTO here FROM rag.collections c WHERE c.id = ANY (collections);
    SELECT greatest(k.reltuples, here) INTO total FROM pg_class k WHERE k.oid = 'rag.chunks'::regclass;
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
    END IF;
    RETURN QUERY EXECUTE 'SELECT e.chunk, e.collection_id, 1 - (e.embedding <=> $1)
        FROM rag.embeddings e WHERE e.space_id = $2 AND e.collection_id = ANY ($3) AND e.embedding IS NOT NULL
        ORDER BY e.embedding <=> $1 LIMIT $4'
        USING query, space, collections, amount;
END
$$;
-- +goose StatementEnd
