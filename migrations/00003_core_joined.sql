-- What row-level security asks about a course's material: may the person read
-- it? The courses that a learner has joined travel in a setting of their own,
-- so that core.teaches and core.is_admin stay false for learners whatever their
-- token lists.

-- +goose Up
CREATE FUNCTION core.joined(course_id text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN course_id IS NOT NULL AND (
        core.teaches(course_id)
        OR course_id = ANY (coalesce(nullif(current_setting('tracker.joined', true), ''), '{}')::text[])
    );

-- +goose Down
DROP FUNCTION core.joined(text);
