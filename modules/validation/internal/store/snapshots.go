package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/validation"
)

var nextNumber = postgres.SQL("validation.snapshots.next", `
	SELECT coalesce(max(s.number), 0) + 1 FROM validation.code_snapshots s WHERE s.task_id = @task`)

// NextNumber is the number of the task's next snapshot. The task's lock keeps
// it to one caller at a time.
func NextNumber(ctx context.Context, tx *postgres.Tx, taskID string) (n int, err error) {
	if err := tx.QueryRow(ctx, nextNumber, postgres.Args{"task": taskID}).Scan(&n); err != nil {
		return 0, fmt.Errorf("number a snapshot of task %s: %w", taskID, err)
	}
	return n, nil
}

var insertSnapshot = postgres.SQL("validation.snapshots.insert", `
	INSERT INTO validation.code_snapshots (id, task_id, user_id, course_id, number, language, files, digest, created_at)
	VALUES (@id, @task, @user, @course, @number, @language, @files, @digest, @created)`)

// InsertSnapshot writes a snapshot, for good.
func InsertSnapshot(ctx context.Context, tx *postgres.Tx, s validation.Snapshot) error {
	files, err := json.Marshal(s.Files)
	if err != nil {
		return fmt.Errorf("store snapshot %s: %w", s.ID, err)
	}
	_, err = tx.Exec(ctx, insertSnapshot, postgres.Args{
		"id": s.ID, "task": s.TaskID, "user": s.UserID, "course": orNull(s.CourseID), "number": s.Number, "language": s.Language,
		"files": json.RawMessage(files), "digest": s.Digest, "created": s.CreatedAt,
	})
	return err
}

const snapshotScope = `/*scope*/ (s.user_id = @actor OR s.course_id = ANY (@courses::text[]) OR @all::boolean) /*end*/`

const snapshotColumns = `s.id, s.task_id, s.user_id, coalesce(s.course_id, ''), s.number, s.language, s.digest, s.created_at,
	coalesce(r.id::text, ''), coalesce(r.status, ''), coalesce(r.verdict, '')`

const newestRun = ` LEFT JOIN LATERAL (
		SELECT n.id, n.status, n.verdict FROM validation.runs n WHERE n.snapshot_id = s.id ORDER BY n.id DESC LIMIT 1
	) r ON true `

var getSnapshot = postgres.SQL("validation.snapshots.get", `
	SELECT `+snapshotColumns+`, s.files::text FROM validation.code_snapshots s`+newestRun+`WHERE s.id = @id AND `+snapshotScope)

// Snapshot reads a snapshot with its files, if the actor may; nil for none.
func Snapshot(ctx context.Context, q postgres.Queryer, actor auth.Actor, id string) (*validation.Snapshot, error) {
	var files string
	s, err := scanSnapshot(q.QueryRow(ctx, getSnapshot, scoped(actor, postgres.Args{"id": id})), &files)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load snapshot %s: %w", id, err)
	}
	if err := json.Unmarshal([]byte(files), &s.Files); err != nil {
		return nil, fmt.Errorf("read files of snapshot %s: %w", id, err)
	}
	return &s, nil
}

var listSnapshots = postgres.SQL("validation.snapshots.list", `
	SELECT `+snapshotColumns+` FROM validation.code_snapshots s`+newestRun+`
	WHERE s.task_id = @task AND s.number < @before AND `+snapshotScope+`
	ORDER BY s.number DESC LIMIT @size`)

// Snapshots reads at most size snapshots of a task with smaller numbers than
// before, newest first, without files.
func Snapshots(ctx context.Context, q postgres.Queryer, actor auth.Actor, taskID string, before, size int) ([]validation.Snapshot, error) {
	rows, err := q.Query(ctx, listSnapshots, scoped(actor, postgres.Args{"task": taskID, "before": before, "size": size}))
	if err != nil {
		return nil, fmt.Errorf("list snapshots of task %s: %w", taskID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (validation.Snapshot, error) { return scanSnapshot(row) })
	if err != nil {
		return nil, fmt.Errorf("list snapshots of task %s: %w", taskID, err)
	}
	return list, nil
}

func scanSnapshot(row pgx.Row, more ...any) (s validation.Snapshot, err error) {
	err = row.Scan(append([]any{
		&s.ID, &s.TaskID, &s.UserID, &s.CourseID, &s.Number, &s.Language, &s.Digest, &s.CreatedAt, &s.RunID, &s.RunStatus, &s.Verdict,
	}, more...)...)
	s.CreatedAt = s.CreatedAt.UTC()
	return s, err
}

var forget = []*postgres.Statement{
	postgres.SQL("validation.snapshots.forget", `DELETE FROM validation.code_snapshots WHERE task_id = @task`),
	postgres.SQL("validation.reports.forget", `DELETE FROM validation.reports WHERE task_id = @task`),
	postgres.SQL("validation.verdicts.forget", `DELETE FROM validation.verdicts WHERE task_id = @task`),
	postgres.SQL("validation.runs.forget", `DELETE FROM validation.runs WHERE task_id = @task`),
}

// Forget deletes all facts and runs of a task; the queue goes before, see Unqueue.
func Forget(ctx context.Context, tx *postgres.Tx, taskID string) error {
	for _, s := range forget {
		if _, err := tx.Exec(ctx, s, postgres.Args{"task": taskID}); err != nil {
			return fmt.Errorf("forget task %s: %w", taskID, err)
		}
	}
	return nil
}
