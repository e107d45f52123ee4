package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/rag"
)

const exerciseColumns = `x.id::text, x.course_id, x.document_id::text, x.path, x.slug, x.title, x.concepts, x.difficulty,
	x.estimated_hours, x.language, x.meta, x.files`

var (
	listExercises = postgres.SQL("rag.exercises.list", `
		SELECT `+exerciseColumns+` FROM rag.exercises x JOIN rag.collections c ON c.id = x.collection_id
		WHERE c.course_id = @course AND c.user_id = '' AND `+readable+`
		ORDER BY coalesce((x.meta->>'unit')::int, 0), x.difficulty, x.path`)
	putExercise = postgres.SQL("rag.exercises.put", `
		INSERT INTO rag.exercises (id, collection_id, document_id, course_id, path, slug, title, concepts, difficulty,
			estimated_hours, language, meta, files, created_at, updated_at)
		VALUES (@id, @collection, @document, @course, @path, @slug, @title, @concepts, @difficulty,
			@hours, @language, @meta, @files, @now, @now)
		ON CONFLICT (id) DO UPDATE SET document_id = excluded.document_id, title = excluded.title,
			concepts = excluded.concepts, difficulty = excluded.difficulty, estimated_hours = excluded.estimated_hours,
			language = excluded.language, meta = excluded.meta, files = excluded.files, updated_at = excluded.updated_at`)
)

// Exercises reads a course's exercises by unit, difficulty and path.
func Exercises(ctx context.Context, q postgres.Queryer, actor auth.Actor, courseID string) ([]rag.Exercise, error) {
	rows, err := q.Query(ctx, listExercises, rights(actor, postgres.Args{"course": courseID}))
	if err != nil {
		return nil, fmt.Errorf("list exercises of course %s: %w", courseID, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (x rag.Exercise, err error) {
		err = row.Scan(&x.ID, &x.CourseID, &x.DocumentID, &x.Path, &x.Slug, &x.Title, &x.Concepts, &x.Difficulty,
			&x.EstimatedHours, &x.Language, &x.Meta, &x.Files)
		return x, err
	})
	if err != nil {
		return nil, fmt.Errorf("list exercises of course %s: %w", courseID, err)
	}
	return list, nil
}

// PutExercise adds an exercise, or replaces the one with its id.
func PutExercise(ctx context.Context, tx *postgres.Tx, collection int32, x rag.Exercise, now time.Time) error {
	concepts, files := x.Concepts, x.Files
	if concepts == nil {
		concepts = []string{}
	}
	if files == nil {
		files = []rag.ExerciseFile{}
	}
	_, err := tx.Exec(ctx, putExercise, postgres.Args{
		"id": x.ID, "collection": collection, "document": x.DocumentID, "course": x.CourseID, "path": x.Path, "slug": x.Slug,
		"title": x.Title, "concepts": concepts, "difficulty": x.Difficulty, "hours": x.EstimatedHours,
		"language": x.Language, "meta": x.Meta, "files": files, "now": now,
	})
	if err != nil {
		return fmt.Errorf("write exercise %s: %w", x.Path, err)
	}
	return nil
}
