-- What belongs to learners: their goals, tasks, validated code and feedback, in
-- a collection of their own; and, where a course's team lets learners see each
-- other's validated code, copies of it under a pseudonym, in a collection of the
-- same learner that the course may read.

-- +goose Up
CREATE TABLE rag.policies (
    course_id      text        PRIMARY KEY,
    -- What a search in the course goes through when it doesn't say.
    default_scope  text        NOT NULL DEFAULT 'course' CHECK (default_scope IN ('course', 'global')),
    peer_snapshots boolean     NOT NULL DEFAULT false,
    -- The copies are as peer_snapshots says.
    settled        boolean     NOT NULL DEFAULT true,
    updated_at     timestamptz NOT NULL
);
ALTER TABLE rag.policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE rag.policies FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON rag.policies TO tracker_system USING (true) WITH CHECK (true);
CREATE POLICY reading ON rag.policies FOR SELECT TO tracker_user, tracker_teacher USING (core.joined(course_id));
CREATE POLICY teaching ON rag.policies TO tracker_teacher USING (core.teaches(course_id)) WITH CHECK (core.teaches(course_id));
GRANT SELECT ON rag.policies TO tracker_user;
GRANT SELECT, INSERT, UPDATE ON rag.policies TO tracker_teacher;
GRANT SELECT, INSERT, UPDATE, DELETE ON rag.policies TO tracker_system;

-- Set for the copies: course_id is then the course that may read them.
ALTER TABLE rag.collections ADD COLUMN shared boolean NOT NULL DEFAULT false CHECK (NOT shared OR user_id <> '' AND course_id <> '');
CREATE INDEX collections_shared ON rag.collections (course_id) WHERE shared;
CREATE POLICY peers ON rag.collections FOR SELECT TO tracker_user, tracker_teacher
    USING (shared AND core.joined(course_id)
        AND EXISTS (SELECT FROM rag.policies p WHERE p.course_id = collections.course_id AND p.peer_snapshots));

-- +goose Down
DROP POLICY peers ON rag.collections;
ALTER TABLE rag.collections DROP COLUMN shared;
DROP TABLE rag.policies;
