package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

// A learner's documents say in their meta.extra what they are of: goal_id,
// task_id, and of snapshots course_id and snapshot_id.
var (
	ensureOwn = postgres.SQL("rag.own.ensure", `
		INSERT INTO rag.collections (course_id, user_id, shared) VALUES (@course, @user, @course <> '') ON CONFLICT (course_id, user_id) DO NOTHING`)
	lockOwn = postgres.SQL("rag.own.lock", `
		SELECT c.id FROM rag.collections c WHERE c.course_id = @course AND c.user_id = @user FOR NO KEY UPDATE`)
	ownStates = postgres.SQL("rag.own.states", `
		SELECT d.id::text, d.path, d.kind, d.language, d.digest, d.pipeline
		FROM rag.documents d WHERE d.collection_id = @collection AND (d.path = ANY (@paths::text[])
			OR @task <> '' AND d.meta->'extra'->>'task_id' = @task AND (@prefix = '' OR starts_with(d.path, @prefix)))`)
	ownOf = postgres.SQL("rag.own.of", `
		SELECT c.id, c.course_id, d.id::text FROM rag.collections c JOIN rag.documents d ON d.collection_id = c.id
		WHERE c.user_id = @user AND c.user_id <> '' AND d.meta->'extra'->>@kind::text = @id ORDER BY c.id`)
	ownFiles = postgres.SQL("rag.own.files", `
		SELECT d.path, d.content, d.meta FROM rag.collections c JOIN rag.documents d ON d.collection_id = c.id
		WHERE c.user_id = @user AND c.course_id = '' AND d.meta->'extra'->>'task_id' = @task AND starts_with(d.path, 'snapshots/')
		ORDER BY d.path`)
	unshared = postgres.SQL("rag.own.unshared", `
		SELECT DISTINCT c.user_id, d.meta->'extra'->>'task_id' FROM rag.collections c JOIN rag.documents d ON d.collection_id = c.id
		WHERE (c.user_id, d.meta->'extra'->>'task_id') > (@user::text, @task::text) AND c.user_id <> '' AND c.course_id = '' AND starts_with(d.path, 'snapshots/') AND d.meta->'extra'->>'course_id' = @course
		ORDER BY 1, 2 LIMIT @size`)
	dropShared = postgres.SQL("rag.own.unshare", `DELETE FROM rag.collections WHERE course_id = @course AND shared`)
	touch      = postgres.SQL("rag.touch", `SELECT`)
)

// LockOwn finds a learner's collection, makes it if need be, and keeps others
// from changing it. With a course it is that of what the course may read.
func LockOwn(ctx context.Context, tx *postgres.Tx, courseID, userID string) (id int32, err error) {
	args := postgres.Args{"course": courseID, "user": userID}
	if _, err := tx.Exec(ctx, ensureOwn, args); err != nil {
		return 0, fmt.Errorf("make collection of user %s: %w", userID, err)
	}
	if err := tx.QueryRow(ctx, lockOwn, args).Scan(&id); err != nil {
		return 0, fmt.Errorf("lock collection of user %s: %w", userID, err)
	}
	return id, nil
}

// OwnStates reads the documents at paths, and those of a task below a prefix.
func OwnStates(ctx context.Context, tx *postgres.Tx, collection int32, paths []string, task, prefix string) (map[string]State, error) {
	rows, err := tx.Query(ctx, ownStates, postgres.Args{"collection": collection, "paths": orNone(paths), "task": task, "prefix": prefix})
	if err != nil {
		return nil, fmt.Errorf("read documents of collection %d: %w", collection, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[State])
	if err != nil {
		return nil, fmt.Errorf("read documents of collection %d: %w", collection, err)
	}
	states := make(map[string]State, len(list))
	for _, s := range list {
		states[s.Path] = s
	}
	return states, nil
}

// OwnDocument is where a learner's document is.
type OwnDocument struct {
	Collection int32
	CourseID   string
	ID         string
}

// OwnOf finds a learner's documents of a goal or task; kind is "goal_id" or
// "task_id".
func OwnOf(ctx context.Context, tx *postgres.Tx, userID, kind, id string) ([]OwnDocument, error) {
	rows, err := tx.Query(ctx, ownOf, postgres.Args{"user": userID, "kind": kind, "id": id})
	if err != nil {
		return nil, fmt.Errorf("find what user %s has of %s: %w", userID, id, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OwnDocument])
	if err != nil {
		return nil, fmt.Errorf("find what user %s has of %s: %w", userID, id, err)
	}
	return list, nil
}

// OwnFile is a file of a learner's validated snapshot.
type OwnFile struct {
	Path, Content string
	Meta          rag.Meta
}

// OwnFiles reads the validated snapshot of a task.
func OwnFiles(ctx context.Context, tx *postgres.Tx, userID, taskID string) ([]OwnFile, error) {
	rows, err := tx.Query(ctx, ownFiles, postgres.Args{"user": userID, "task": taskID})
	if err != nil {
		return nil, fmt.Errorf("read validated code of task %s: %w", taskID, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OwnFile])
	if err != nil {
		return nil, fmt.Errorf("read validated code of task %s: %w", taskID, err)
	}
	return list, nil
}

// Validated is a task of which a learner has validated code.
type Validated struct{ UserID, TaskID string }

// ValidatedIn pages through the validated code of a course by learner.
func ValidatedIn(ctx context.Context, q postgres.Queryer, courseID string, after Validated, size int) ([]Validated, error) {
	rows, err := q.Query(ctx, unshared, postgres.Args{"course": courseID, "user": after.UserID, "task": after.TaskID, "size": size})
	if err != nil {
		return nil, fmt.Errorf("find validated code of course %s: %w", courseID, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Validated])
	if err != nil {
		return nil, fmt.Errorf("find validated code of course %s: %w", courseID, err)
	}
	return list, nil
}

// Unshare deletes what the learners of a course could read of each other.
func Unshare(ctx context.Context, tx *postgres.Tx, courseID string) error {
	if _, err := tx.Exec(ctx, dropShared, postgres.Args{"course": courseID}); err != nil {
		return fmt.Errorf("stop sharing in course %s: %w", courseID, err)
	}
	return nil
}

// Touch tells the server that a unit of work is still at it.
func Touch(ctx context.Context, tx *postgres.Tx) error {
	_, err := tx.Exec(ctx, touch, postgres.Args{})
	return err
}
