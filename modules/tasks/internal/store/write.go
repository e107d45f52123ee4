package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/tasks"
)

var insert = postgres.SQL("tasks.insert", `
	INSERT INTO tasks.tasks (id, goal_id, user_id, course_id, title, description, type, status, position,
		estimated_hours, actual_hours, depends_on, concepts, language, validation, citations, validation_result,
		ai_feedback, completed_by, metadata, snapshot_id, snapshot_number, resume_status,
		started_at, completed_at, created_at, updated_at, version)
	VALUES (@id, @goal_id, @user_id, @course_id, @title, @description, @type, @status, @position,
		@estimated_hours, @actual_hours, @depends_on, @concepts, @language, @validation, @citations, @validation_result,
		@ai_feedback, @completed_by, @metadata, @snapshot_id, @snapshot_number, @resume_status,
		@started_at, @completed_at, @created_at, @updated_at, @version)`)

var update = postgres.SQL("tasks.update", `
	UPDATE tasks.tasks SET goal_id = @goal_id, user_id = @user_id, course_id = @course_id, title = @title,
		description = @description, type = @type, status = @status, position = @position,
		estimated_hours = @estimated_hours, actual_hours = @actual_hours, depends_on = @depends_on, concepts = @concepts,
		language = @language, validation = @validation, citations = @citations, validation_result = @validation_result,
		ai_feedback = @ai_feedback, completed_by = @completed_by, metadata = @metadata,
		snapshot_id = @snapshot_id, snapshot_number = @snapshot_number, resume_status = @resume_status,
		started_at = @started_at, completed_at = @completed_at, created_at = @created_at, updated_at = @updated_at,
		version = @version
	WHERE id = @id`)

// Insert writes the first states of tasks, in one round trip.
func Insert(ctx context.Context, tx *postgres.Tx, list ...tasks.Task) error {
	var batch pgx.Batch
	for _, t := range list {
		row, err := Row(t)
		if err != nil {
			return err
		}
		values, err := insert.Bind(row)
		if err != nil {
			return err
		}
		batch.Queue(insert.Numbered(), values...)
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		return fmt.Errorf("insert tasks: %w", err)
	}
	return nil
}

// Update writes a task's next state. found is false when it has no row.
func Update(ctx context.Context, tx *postgres.Tx, t tasks.Task) (found bool, err error) {
	row, err := Row(t)
	if err != nil {
		return false, err
	}
	tag, err := tx.Exec(ctx, update, row)
	return tag.RowsAffected() > 0, err
}

var remove = postgres.SQL("tasks.delete", `DELETE FROM tasks.tasks WHERE id = ANY (@ids::uuid[])`)

var removeFiles = postgres.SQL("tasks.files.delete", `DELETE FROM tasks.files WHERE task_id = ANY (@ids::uuid[])`)

// Delete removes tasks with their files.
func Delete(ctx context.Context, tx *postgres.Tx, ids ...string) error {
	// Files first: who may delete them is asked of the task's row.
	for _, s := range []*postgres.Statement{removeFiles, remove} {
		if _, err := tx.Exec(ctx, s, postgres.Args{"ids": ids}); err != nil {
			return err
		}
	}
	return nil
}

// Row is a task by column.
func Row(t tasks.Task) (map[string]any, error) {
	citations := t.Citations
	if citations == nil {
		citations = []tasks.Citation{}
	}
	row := map[string]any{
		"id": t.ID, "goal_id": t.GoalID, "user_id": t.UserID, "course_id": orNull(t.CourseID), "title": t.Title,
		"description": t.Description, "type": string(t.Type), "status": string(t.Status), "position": t.Position,
		"estimated_hours": t.EstimatedHours, "actual_hours": t.ActualHours,
		"depends_on": append([]string{}, t.DependsOn...), "concepts": append([]string{}, t.Concepts...),
		"language": orNull(t.Language), "ai_feedback": orNull(t.Feedback), "completed_by": orNull(string(t.CompletedBy)),
		"metadata": json.RawMessage(t.Metadata.Text()), "snapshot_id": orNull(t.SnapshotID),
		"snapshot_number": t.SnapshotNumber, "resume_status": orNull(string(t.Resume)),
		"started_at": timeOrNull(t.StartedAt), "completed_at": timeOrNull(t.CompletedAt),
		"created_at": t.CreatedAt, "updated_at": t.UpdatedAt, "version": t.Version,
		"validation": nil, "validation_result": nil,
	}
	encode := func(name string, value any) error {
		data, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("encode %s of task %s: %w", name, t.ID, err)
		}
		row[name] = json.RawMessage(data)
		return nil
	}
	if t.Validation != nil {
		if err := encode("validation", t.Validation); err != nil {
			return nil, err
		}
	}
	if t.Result != nil {
		if err := encode("validation_result", t.Result); err != nil {
			return nil, err
		}
	}
	return row, encode("citations", citations)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
