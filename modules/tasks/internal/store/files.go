package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
)

var putFiles = postgres.SQL("tasks.files.put", `
	INSERT INTO tasks.files (task_id, digest, content)
	SELECT @task::uuid, f.digest, f.content FROM unnest(@digests::text[], @contents::text[]) f (digest, content)
	ON CONFLICT DO NOTHING`)

var dropFiles = postgres.SQL("tasks.files.drop", `
	DELETE FROM tasks.files WHERE task_id = @task AND NOT digest = ANY (@keep::text[])`)

// PutFiles keeps the contents that came with a task, and lets those go that it
// no longer names.
func PutFiles(ctx context.Context, tx *postgres.Tx, taskID string, v *tasks.Validation, fresh bool) error {
	files := v.Files()
	digests, contents, keep := []string{}, []string{}, make([]string, 0, len(files))
	for _, f := range files {
		keep = append(keep, f.Digest)
		if f.Loaded {
			digests, contents = append(digests, f.Digest), append(contents, f.Content)
		}
	}
	if len(digests) > 0 {
		if _, err := tx.Exec(ctx, putFiles, postgres.Args{"task": taskID, "digests": digests, "contents": contents}); err != nil {
			return err
		}
	}
	if fresh {
		return nil
	}
	_, err := tx.Exec(ctx, dropFiles, postgres.Args{"task": taskID, "keep": keep})
	return err
}

var readFiles = postgres.SQL("tasks.files.read", `SELECT f.digest, f.content FROM tasks.files f WHERE f.task_id = @task`)

// Files are the contents of a task's files by digest; who may read them is who
// may read the task.
func Files(ctx context.Context, q postgres.Queryer, taskID string) (map[string]string, error) {
	rows, err := q.Query(ctx, readFiles, postgres.Args{"task": taskID})
	if err != nil {
		return nil, fmt.Errorf("read files of task %s: %w", taskID, err)
	}
	contents := map[string]string{}
	var digest, content string
	if _, err := pgx.ForEachRow(rows, []any{&digest, &content}, func() error { contents[digest] = content; return nil }); err != nil {
		return nil, fmt.Errorf("read files of task %s: %w", taskID, err)
	}
	return contents, nil
}
