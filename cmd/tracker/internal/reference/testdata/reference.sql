-- A database of the reference system, as its SQLAlchemy models make it, with the
-- rows that its years leave behind.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TYPE goalstatus AS ENUM ('pending', 'in_progress', 'completed', 'blocked', 'cancelled');
CREATE TYPE goalpriority AS ENUM ('low', 'medium', 'high', 'urgent');
CREATE TYPE taskstatus AS ENUM ('todo', 'in_progress', 'in_review', 'completed', 'failed', 'skipped');
CREATE TYPE tasktype AS ENUM ('code', 'documentation', 'testing', 'research', 'review', 'deployment', 'other');

CREATE TABLE users (id varchar(36) PRIMARY KEY, email varchar(255));
CREATE TABLE courses (id varchar(36) PRIMARY KEY, title varchar(500));
CREATE TABLE goals (
    id varchar(36) PRIMARY KEY, user_id varchar(36) NOT NULL, course_id varchar(36), title varchar(500) NOT NULL, description text,
    status goalstatus NOT NULL, priority goalpriority NOT NULL, progress_percentage double precision, ai_generated boolean,
    validation_criteria json, goal_metadata json, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
    started_at timestamp, completed_at timestamp, due_date timestamp);
CREATE TABLE tasks (
    id varchar(36) PRIMARY KEY, goal_id varchar(36) NOT NULL REFERENCES goals ON DELETE CASCADE, user_id varchar(36) NOT NULL,
    title varchar(500) NOT NULL, description text, task_type tasktype NOT NULL, status taskstatus NOT NULL, priority integer DEFAULT 100,
    estimated_hours double precision, actual_hours double precision, validation_result json, ai_feedback text, task_metadata json,
    created_at timestamp NOT NULL, updated_at timestamp NOT NULL, started_at timestamp, completed_at timestamp);
CREATE TABLE code_snapshots (
    id varchar(36) PRIMARY KEY, task_id varchar(36) REFERENCES tasks ON DELETE CASCADE, user_id varchar(36) NOT NULL,
    file_path varchar(1000) NOT NULL, language varchar(50) NOT NULL, code_content text NOT NULL, validation_passed boolean,
    validation_score double precision, validation_feedback text, issues_found json, metadata json, storage_path varchar(1000),
    created_at timestamp NOT NULL);
CREATE TABLE events (
    id varchar(36) PRIMARY KEY, event_type varchar(100) NOT NULL, user_id varchar(36), entity_type varchar(50), entity_id varchar(36),
    payload json NOT NULL, event_metadata json, created_at timestamp NOT NULL, processed_at timestamp, parquet_path varchar(1000));
CREATE TABLE embeddings (
    id varchar(36) PRIMARY KEY, user_id varchar(36) NOT NULL, entity_type varchar(50) NOT NULL, entity_id varchar(36) NOT NULL,
    content text NOT NULL, embedding vector(1536), model varchar(100) DEFAULT 'text-embedding-3-small', metadata json, created_at timestamp);

INSERT INTO users VALUES ('ada', 'ada@temporary'), ('bob', 'bob@temporary');
INSERT INTO courses VALUES ('py-101', 'Python');

INSERT INTO goals VALUES
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'ada', 'py-101', 'Learn FastAPI', 'Build an API', 'in_progress', 'high', 50, true,
 '["has tests", "is deployed"]', '{"source": "web"}', '2025-01-10 09:00:00', '2025-02-01 10:00:00', '2025-01-11 08:00:00', NULL, '2025-06-30 00:00:00'),
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0002', 'ada', NULL, 'Everything done', NULL, 'completed', 'medium', 100, false,
 NULL, NULL, '2025-01-02 09:00:00', '2025-01-20 10:00:00', '2025-01-03 08:00:00', '2025-01-20 10:00:00', NULL),
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0003', 'bob', 'py-101', 'Stuck', 'No time', 'blocked', 'low', 30, false,
 '{"when": "it works"}', '["no", "object"]', '2025-03-01 09:00:00', '2025-03-05 10:00:00', '2025-03-02 08:00:00', NULL, NULL),
('goal-4', 'bob', 'py-101', 'Given up', '', 'cancelled', 'urgent', 0, false, NULL, NULL, '2025-03-01 09:00:00', '2025-03-09 10:00:00', NULL, NULL, NULL),
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0005', 'bob', NULL, 'Not begun', NULL, 'pending', 'medium', 0, false, NULL, NULL,
 '2025-03-01 09:00:00.123456', '2025-03-01 09:00:00.123456', NULL, NULL, NULL),
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0006', '', NULL, 'Nobody''s', NULL, 'pending', 'medium', 0, false, NULL, NULL,
 '2025-03-01 09:00:00', '2025-03-01 09:00:00', NULL, NULL, NULL),
-- All its tasks are done, but it is still open.
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0007', 'bob', NULL, 'Left open', NULL, 'in_progress', 'medium', 100, false, NULL, NULL,
 '2025-04-01 09:00:00', '2025-04-10 09:00:00', '2025-04-01 10:00:00', NULL, NULL);

INSERT INTO tasks VALUES
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'ada', 'First route', 'GET /', 'code', 'completed', 100, 2, 3.5,
 '{"passed": true, "score": 0.9}', 'Good names.', '{"files": ["main.py"]}', '2025-01-10 09:05:00', '2025-01-15 10:00:00', '2025-01-11 08:00:00', '2025-01-15 10:00:00'),
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0002', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'ada', 'Tests', NULL, 'testing', 'failed', 200, NULL, NULL,
 '{"passed": false}', NULL, NULL, '2025-01-10 09:06:00', '2025-02-01 10:00:00', '2025-01-16 08:00:00', NULL),
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0003', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'ada', 'Deploy', NULL, 'deployment', 'todo', -5, -1, NULL,
 NULL, NULL, NULL, '2025-01-10 09:07:00', '2025-01-10 09:07:00', NULL, NULL),
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0004', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0002', 'ada', 'Read', NULL, 'research', 'completed', 100, NULL, NULL,
 NULL, NULL, NULL, '2025-01-02 09:05:00', '2025-01-20 10:00:00', NULL, '2025-01-19 10:00:00'),
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0005', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0002', 'ada', 'Left out', NULL, 'other', 'skipped', 100, NULL, NULL,
 NULL, NULL, NULL, '2025-01-02 09:06:00', '2025-01-18 10:00:00', NULL, NULL),
('task-6', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0003', 'bob', 'In review', NULL, 'code', 'in_review', 100, NULL, NULL,
 NULL, NULL, NULL, '2025-03-01 09:05:00', '2025-03-04 10:00:00', '2025-03-02 08:00:00', NULL),
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0007', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0003', 'ada', 'Another''s', NULL, 'code', 'todo', 100, NULL, NULL,
 NULL, NULL, NULL, '2025-03-01 09:05:00', '2025-03-04 10:00:00', NULL, NULL),
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0008', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0007', 'bob', 'The only one', NULL, 'code', 'completed', 100, NULL, NULL,
 NULL, NULL, NULL, '2025-04-01 09:05:00', '2025-04-08 10:00:00', '2025-04-02 08:00:00', '2025-04-08 10:00:00');

INSERT INTO code_snapshots VALUES
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'ada', 'app/main.py', 'python', 'print(1)', false, 0.2,
 'Not yet.', '[{"line": 1}]', NULL, NULL, '2025-01-12 10:00:00'),
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0002', 'aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'ada', 'C:\Users\ada\app\main.py', 'Python', 'print(2)', true, 0.9,
 'Good.', NULL, '{"editor": "code"}', NULL, '2025-01-15 09:00:00'),
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0003', NULL, 'ada', 'scratch.py', 'python', 'x = 1', NULL, NULL, NULL, NULL, NULL, NULL, '2025-01-15 09:00:00'),
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0004', 'aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0007', 'ada', 'a.py', 'python', 'x = 1', NULL, NULL, NULL, NULL, NULL, NULL, '2025-03-05 09:00:00'),
('snap-5', 'task-6', 'bob', '../../etc/passwd', '', 'x = 2', NULL, NULL, NULL, NULL, NULL, '/var/storage/5', '2025-03-03 09:00:00');

INSERT INTO events VALUES
('cc0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'GOAL_CREATED', 'ada', 'goal', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', '{"title": "Learn FastAPI"}', '{"ip": "10.0.0.1"}', '2025-01-10 09:00:00', NULL, NULL),
('cc0e2a40-5c11-4c8e-9a55-0d2b8f6f0002', 'CODE_SUBMITTED', NULL, 'code_snapshot', 'bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', '{"note": "a \u0000 b"}', NULL, '2025-01-12 10:00:00', '2025-01-12 10:00:01', NULL),
('cc0e2a40-5c11-4c8e-9a55-0d2b8f6f0003', 'SYSTEM_STARTED', NULL, NULL, NULL, '{}', NULL, '2025-01-01 00:00:00', NULL, NULL),
('event-4', 'TASK_COMPLETED', 'bob', 'task', 'gone', '{}', NULL, '2025-04-08 10:00:00', NULL, '/archive/4.parquet');

INSERT INTO embeddings (id, user_id, entity_type, entity_id, content) VALUES
('dd0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'ada', 'goal', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0001', 'Learn FastAPI');
