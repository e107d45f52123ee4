-- Vectors. A space is one model's, at one width and version; vectors of two
-- spaces are never compared. Each space gets its own partial HNSW index when it
-- is activated, over (embedding::halfvec(dims)) WHERE space_id = its id.

-- +goose Up
CREATE TABLE rag.spaces (
    id           integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider     text        NOT NULL,
    model        text        NOT NULL,
    dims         integer     NOT NULL CHECK (dims BETWEEN 1 AND 4000),
    version      text        NOT NULL,
    -- building: being filled; active: searched; retired: to be dropped.
    state        text        NOT NULL DEFAULT 'building' CHECK (state IN ('building', 'active', 'retired')),
    -- What the cosine weighs beside BM25's share.
    weight       real        NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    activated_at timestamptz,
    UNIQUE (provider, model, dims, version)
);

CREATE TABLE rag.embeddings (
    space_id      integer     NOT NULL REFERENCES rag.spaces (id) ON DELETE CASCADE,
    chunk         bigint      NOT NULL REFERENCES rag.chunks (num) ON DELETE CASCADE,
    collection_id integer     NOT NULL REFERENCES rag.collections (id) ON DELETE CASCADE,
    embedding     halfvec     NOT NULL,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (space_id, chunk)
);
-- Exact search of one collection; the other two serve the cascades.
CREATE INDEX embeddings_collection ON rag.embeddings (collection_id, space_id);
CREATE INDEX embeddings_chunk ON rag.embeddings (chunk);

ALTER TABLE rag.spaces ENABLE ROW LEVEL SECURITY;
ALTER TABLE rag.spaces FORCE ROW LEVEL SECURITY;
CREATE POLICY everyone ON rag.spaces FOR SELECT TO tracker_user, tracker_teacher USING (true);
CREATE POLICY system ON rag.spaces TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT ON rag.spaces TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON rag.spaces TO tracker_system;

ALTER TABLE rag.embeddings ENABLE ROW LEVEL SECURITY;
ALTER TABLE rag.embeddings FORCE ROW LEVEL SECURITY;
CREATE POLICY reading ON rag.embeddings FOR SELECT TO tracker_user, tracker_teacher
    USING (collection_id IN (SELECT c.id FROM rag.collections c));
CREATE POLICY system ON rag.embeddings TO tracker_system USING (true) WITH CHECK (true);
GRANT SELECT ON rag.embeddings TO tracker_user, tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON rag.embeddings TO tracker_system;

-- +goose Down
DROP TABLE rag.embeddings;
DROP TABLE rag.spaces;
