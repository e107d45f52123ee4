-- The concept graph of a course: what it teaches, practises and presupposes.
-- Derived from the front matter and sections of its documents.

-- +goose Up
CREATE TABLE rag.concepts (
    collection_id integer     NOT NULL REFERENCES rag.collections (id) ON DELETE CASCADE,
    -- What it is found under: its name in lower case, singular, without accents.
    key           text        COLLATE "C" NOT NULL,
    -- As the course writes it first.
    name          text        NOT NULL,
    -- Its place among the course's concepts, from 1: after all that it needs.
    position      integer     NOT NULL,
    -- The first unit that teaches it; 0 for none.
    unit          integer     NOT NULL,
    -- False for what is only presupposed or practised.
    taught        boolean     NOT NULL,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (collection_id, key)
);

CREATE TABLE rag.concept_edges (
    collection_id integer NOT NULL REFERENCES rag.collections (id) ON DELETE CASCADE,
    -- prerequisite: concept needs another; the rest: what a document does to it.
    kind          text    NOT NULL CHECK (kind IN ('prerequisite', 'teaches', 'practises', 'requires')),
    concept       text    COLLATE "C" NOT NULL,
    -- The other concept of a prerequisite, else empty.
    needs         text    COLLATE "C" NOT NULL DEFAULT '',
    -- Who says so.
    document_id   uuid    NOT NULL REFERENCES rag.documents (id) ON DELETE CASCADE,
    -- The section, where it is one and not the whole document.
    heading       text    NOT NULL DEFAULT '',
    -- A prerequisite that closed a cycle and doesn't count.
    broken        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (collection_id, kind, concept, needs, document_id, heading),
    FOREIGN KEY (collection_id, concept) REFERENCES rag.concepts (collection_id, key) ON DELETE CASCADE
);
CREATE INDEX concept_edges_document ON rag.concept_edges (document_id);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['concepts', 'concept_edges'] LOOP
        EXECUTE format('ALTER TABLE rag.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE rag.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY system ON rag.%I TO tracker_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON rag.%I TO tracker_teacher, tracker_system', name);
        EXECUTE format('GRANT SELECT ON rag.%I TO tracker_user', name);
        EXECUTE format('CREATE POLICY reading ON rag.%I FOR SELECT TO tracker_user, tracker_teacher
            USING (collection_id IN (SELECT c.id FROM rag.collections c))', name);
        EXECUTE format('CREATE POLICY teaching ON rag.%I TO tracker_teacher
            USING (collection_id IN (SELECT c.id FROM rag.collections c WHERE c.user_id = %L AND core.teaches(c.course_id)))', name, '');
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE rag.concept_edges;
DROP TABLE rag.concepts;
