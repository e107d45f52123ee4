-- Rows that no model of the reference makes, as hands, scripts and years do.
ALTER TYPE goalstatus ADD VALUE 'archived';
ALTER TYPE goalpriority ADD VALUE 'critical';
ALTER TYPE taskstatus ADD VALUE 'postponed';
ALTER TYPE tasktype ADD VALUE 'quiz';
COMMIT;
ALTER TABLE goals ALTER user_id DROP NOT NULL, ALTER title DROP NOT NULL, ALTER created_at DROP NOT NULL, ALTER updated_at DROP NOT NULL,
    ALTER goal_metadata TYPE jsonb, ALTER started_at TYPE timestamptz;
ALTER TABLE tasks DROP CONSTRAINT tasks_goal_id_fkey, ALTER updated_at DROP NOT NULL;
ALTER TABLE code_snapshots DROP CONSTRAINT code_snapshots_task_id_fkey, ALTER file_path DROP NOT NULL, ALTER user_id DROP NOT NULL;
ALTER TABLE events ALTER event_type DROP NOT NULL, ALTER payload DROP NOT NULL;
ALTER TABLE embeddings ALTER embedding TYPE vector;

INSERT INTO goals (id, user_id, title, status, priority, created_at, updated_at, started_at, due_date, progress_percentage, validation_criteria, goal_metadata) VALUES
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', 'cy', 'Odd values', 'archived', 'critical', '2025-01-01', '2025-01-02', NULL, '12025-01-01', 'NaN', '["a\u0000b", "\ud83d"]', '[1]'),
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0102', 'cy', NULL, 'in_progress', 'low', '12025-01-01', 'infinity', 'infinity', 'infinity', '-Infinity', '1', '"text"'),
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0103', 'cy', 'Before Christ', 'completed', 'low', '0044-03-15 BC', '2025-01-02', '2025-01-01 10:00:00+05', NULL, NULL, NULL, NULL),
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0104', 'cy', 'Timeless', 'cancelled', 'low', NULL, NULL, NULL, NULL, 1e300, NULL, NULL),
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0105', NULL, 'Of nobody', 'pending', 'low', '2025-01-01', '2025-01-02', NULL, NULL, NULL, NULL, NULL),
('6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0106', 'cy', 'Large', 'blocked', 'low', '-infinity', '2025-01-02', NULL, NULL, NULL, NULL, jsonb_build_object('a', repeat('x', 300000))),
('ä : /"' || chr(10) || '%', 'cy', 'An odd id', 'pending', 'low', '2025-01-01', '2025-01-02', NULL, NULL, NULL, NULL, NULL);

INSERT INTO tasks (id, goal_id, user_id, title, task_type, status, actual_hours, ai_feedback, created_at, updated_at) VALUES
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0103', 'cy', 'Done in no time', 'code', 'completed', -1, NULL, '2025-01-01', '2025-01-02'),
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0102', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', 'cy', 'Odd', 'quiz', 'postponed', 'NaN', NULL, '2024-01-01', NULL),
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0103', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', 'cy', 'Much said', 'code', 'skipped', NULL, repeat('x', 300000), '2025-01-01', '2025-01-02'),
('aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0104', 'gone', 'cy', 'Of no goal', 'code', 'todo', NULL, NULL, '2025-01-01', '2025-01-02');

INSERT INTO code_snapshots (id, task_id, user_id, file_path, language, code_content, validation_score, metadata, created_at) VALUES
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', 'aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', 'cy', 'a.py', 'python', 'x', 'NaN', '{"n": 1e999}', '2025-01-01'),
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0102', 'aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', 'cy', 'b.py', 'python', repeat('x', 9000000), NULL, NULL, '2025-01-01'),
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0103', 'aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', NULL, 'c.py', 'python', 'x', NULL, NULL, '2025-01-01'),
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0104', 'aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', 'cy', NULL, 'python', 'x', NULL, NULL, '2025-01-01'),
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0105', 'aa0e2a40-5c11-4c8e-9a55-0d2b8f6f0104', 'cy', 'd.py', 'python', 'x', NULL, NULL, '2025-01-01'),
('bb0e2a40-5c11-4c8e-9a55-0d2b8f6f0106', 'gone', 'cy', 'd.py', 'python', 'x', NULL, NULL, '2025-01-01');

INSERT INTO events (id, event_type, user_id, entity_type, entity_id, payload, created_at) VALUES
('cc0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', NULL, 'cy', 'GOAL', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', NULL, '2025-01-01'),
('cc0e2a40-5c11-4c8e-9a55-0d2b8f6f0102', 'A', 'cy', NULL, NULL, json_build_object('a', repeat('x', 300000)), 'infinity'),
('cc0e2a40-5c11-4c8e-9a55-0d2b8f6f0103', 'B', '', 'goal', '6f0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', '{"half": "\ud83d"}', '2025-01-01'),
('cc0e2a40-5c11-4c8e-9a55-0d2b8f6f0104', 'C', 'cy', NULL, NULL, (repeat('[', 100) || repeat(']', 100))::json, '2025-01-01'),
('ö : /"' || chr(10) || '%', 'D', 'cy', NULL, NULL, '{"n": 1e999}', '2025-01-01');

INSERT INTO embeddings (id, user_id, entity_type, entity_id, content, embedding) VALUES
('dd0e2a40-5c11-4c8e-9a55-0d2b8f6f0101', 'cy', 'goal', 'gone', 'x', '[1,2,3]');
