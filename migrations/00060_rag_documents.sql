-- Course material and its index. A collection is what is searched as one: the
-- material of a course, or (later) what belongs to one person. Who may see a
-- collection stands in its policies; all other tables follow it.
--
-- documents and exercises are facts; chunks, terms, postings and embeddings are
-- derived from them.

-- +goose Up
CREATE SCHEMA rag;
GRANT USAGE ON SCHEMA rag TO tracker_user, tracker_teacher, tracker_system;

CREATE TABLE rag.collections (
    id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Empty with an empty user_id: open to everyone.
    course_id text    NOT NULL,
    -- Empty for a course's material, else the only person who may see it.
    user_id   text    NOT NULL DEFAULT '',
    -- BM25's N and its sum of lengths.
    chunks    integer NOT NULL DEFAULT 0,
    tokens    bigint  NOT NULL DEFAULT 0,
    UNIQUE (course_id, user_id)
);
CREATE INDEX collections_user ON rag.collections (user_id) WHERE user_id <> '';

CREATE TABLE rag.documents (
    id            uuid        PRIMARY KEY,
    collection_id integer     NOT NULL REFERENCES rag.collections (id) ON DELETE CASCADE,
    path          text        NOT NULL,
    title         text        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('markdown', 'code', 'notebook', 'text', 'html', 'pdf')),
    -- en, es or a programming language.
    language      text        NOT NULL,
    -- SHA-256 of the content.
    digest        bytea       NOT NULL,
    content       text        NOT NULL,
    -- Front matter: unit, objectives, prerequisites, concepts, estimated_hours, …
    meta          jsonb       NOT NULL DEFAULT '{}',
    chunks        integer     NOT NULL,
    -- Which cutting and analysis made the chunks; another one is work to do.
    pipeline      integer     NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    UNIQUE (collection_id, path)
);

CREATE TABLE rag.chunks (
    id            uuid    PRIMARY KEY,
    -- The id in postings and embeddings, where there are very many.
    num           bigint  GENERATED ALWAYS AS IDENTITY UNIQUE,
    document_id   uuid    NOT NULL REFERENCES rag.documents (id) ON DELETE CASCADE,
    collection_id integer NOT NULL,
    position      integer NOT NULL,
    kind          text    NOT NULL CHECK (kind IN ('text', 'code', 'objectives', 'exercise', 'prerequisites')),
    heading       text    NOT NULL,
    text          text    NOT NULL,
    language      text    NOT NULL,
    start_line    integer NOT NULL,
    end_line      integer NOT NULL,
    start_byte    integer NOT NULL,
    end_byte      integer NOT NULL,
    -- Over all that search sees of it: a chunk whose digest stays keeps its id,
    -- its postings and its embeddings.
    digest        bytea   NOT NULL,
    -- Its length for BM25, and its distinct terms.
    tokens        integer NOT NULL,
    terms         text[]  NOT NULL
);
CREATE INDEX chunks_document ON rag.chunks (document_id, position);

-- Document frequency of a term in a collection.
CREATE TABLE rag.terms (
    collection_id integer NOT NULL REFERENCES rag.collections (id) ON DELETE CASCADE,
    term          text    COLLATE "C" NOT NULL,
    chunks        integer NOT NULL,
    PRIMARY KEY (collection_id, term)
);

CREATE TABLE rag.postings (
    collection_id integer NOT NULL REFERENCES rag.collections (id) ON DELETE CASCADE,
    term          text    COLLATE "C" NOT NULL,
    chunk         bigint  NOT NULL,
    -- Occurrences, those in headings counted more.
    tf            real    NOT NULL,
    tokens        integer NOT NULL,
    PRIMARY KEY (collection_id, term, chunk) INCLUDE (tf, tokens)
);

-- An exercise's folder, with the files that learners never get to see.
CREATE TABLE rag.exercises (
    id              uuid             PRIMARY KEY,
    collection_id   integer          NOT NULL REFERENCES rag.collections (id) ON DELETE CASCADE,
    -- The statement; the exercise goes with it.
    document_id     uuid             NOT NULL REFERENCES rag.documents (id) ON DELETE CASCADE,
    course_id       text             NOT NULL,
    -- The folder: "exercises/receipt".
    path            text             NOT NULL,
    slug            text             NOT NULL,
    title           text             NOT NULL,
    concepts        text[]           NOT NULL,
    difficulty      integer          NOT NULL,
    estimated_hours double precision NOT NULL,
    -- The programming language.
    language        text             NOT NULL,
    -- All of the statement's front matter.
    meta            jsonb            NOT NULL,
    -- [{"role": "starter" | "solution" | "tests", "path", "content"}], by path.
    files           jsonb            NOT NULL,
    created_at      timestamptz      NOT NULL,
    updated_at      timestamptz      NOT NULL,
    UNIQUE (collection_id, path)
);
CREATE INDEX exercises_document ON rag.exercises (document_id);

-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['collections', 'documents', 'chunks', 'terms', 'postings', 'exercises'] LOOP
        EXECUTE format('ALTER TABLE rag.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE rag.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY system ON rag.%I TO tracker_system USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON rag.%I TO tracker_teacher, tracker_system', name);
    END LOOP;

    -- Each policy below asks its question once a statement, not once a row. IN
    -- and not = ANY: that would take the place of a narrower condition in an
    -- index scan, and one course be searched through all that one may see.
    FOREACH name IN ARRAY ARRAY['documents', 'chunks', 'terms', 'postings'] LOOP
        EXECUTE format('GRANT SELECT ON rag.%I TO tracker_user', name);
        EXECUTE format('CREATE POLICY reading ON rag.%I FOR SELECT TO tracker_user, tracker_teacher
            USING (collection_id IN (SELECT c.id FROM rag.collections c))', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['documents', 'chunks', 'terms', 'postings', 'exercises'] LOOP
        EXECUTE format('CREATE POLICY teaching ON rag.%I TO tracker_teacher
            USING (collection_id IN (SELECT c.id FROM rag.collections c WHERE c.user_id = %L AND core.teaches(c.course_id)))', name, '');
    END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT ON rag.collections TO tracker_user;
CREATE POLICY own ON rag.collections FOR SELECT TO tracker_user, tracker_teacher
    USING (user_id <> '' AND user_id = core.actor_id());
CREATE POLICY reading ON rag.collections FOR SELECT TO tracker_user, tracker_teacher
    USING (user_id = '' AND (course_id = '' OR core.joined(course_id)));
CREATE POLICY teaching ON rag.collections TO tracker_teacher
    USING (user_id = '' AND core.teaches(course_id) AND (course_id <> '' OR core.is_admin()));

-- +goose Down
DROP SCHEMA rag CASCADE;
