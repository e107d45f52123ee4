package store

import (
	"context"

	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/goals"
)

var upsertProgress = postgres.SQL("goals.progress.put", `
	INSERT INTO goals.goal_progress (goal_id, user_id, course_id, progress, tasks_total, tasks_completed, manual, updated_at, version)
	VALUES (@goal_id, @user_id, @course_id, @progress, @tasks_total, @tasks_completed, @manual, @updated_at, @version)
	ON CONFLICT (goal_id) DO UPDATE SET user_id = excluded.user_id, course_id = excluded.course_id,
		progress = excluded.progress, tasks_total = excluded.tasks_total, tasks_completed = excluded.tasks_completed,
		manual = excluded.manual, updated_at = excluded.updated_at, version = excluded.version`)

// PutProgress writes a goal's progress. User and course are those of its stream.
func PutProgress(ctx context.Context, tx *postgres.Tx, goalID, userID, courseID string, p goals.Progress) error {
	_, err := tx.Exec(ctx, upsertProgress, ProgressRow(goalID, userID, courseID, p))
	return err
}

var removeProgress = postgres.SQL("goals.progress.delete", `DELETE FROM goals.goal_progress WHERE goal_id = @goal_id`)

// DeleteProgress removes a goal's progress.
func DeleteProgress(ctx context.Context, tx *postgres.Tx, goalID string) error {
	_, err := tx.Exec(ctx, removeProgress, postgres.Args{"goal_id": goalID})
	return err
}

// ProgressRow is a goal's progress by column.
func ProgressRow(goalID, userID, courseID string, p goals.Progress) map[string]any {
	return map[string]any{
		"goal_id": goalID, "user_id": userID, "course_id": orNull(courseID), "progress": p.Percent,
		"tasks_total": p.Total, "tasks_completed": p.Completed, "manual": p.Manual,
		"updated_at": p.UpdatedAt, "version": p.Version,
	}
}
