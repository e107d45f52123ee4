package tasks

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy says what this module keeps about people.
var Privacy = privacy.Registry{
	Tables: []privacy.Table{
		{
			Name: "tasks.tasks", Class: privacy.Folds, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{
				"user_id", "title", "description", "estimated_hours", "actual_hours", "concepts", "validation", "citations",
				"validation_result", "ai_feedback", "metadata",
			},
			Plain: []string{
				"id", "goal_id", "course_id", "type", "status", "position", "depends_on", "language", "completed_by",
				"snapshot_id", "snapshot_number", "resume_status", "started_at", "completed_at", "created_at", "updated_at", "version",
			},
		},
		{
			Name: "tasks.files", Class: privacy.Facts, Parent: "tasks.tasks", ParentKey: "task_id", Erase: privacy.DeleteWithParent,
			Personal: []string{"content"}, Plain: []string{"task_id", "digest"},
		},
	},
	Events: []privacy.Event{
		{Type: "task.created", Personal: []string{"user_id", "details"}, Plain: []string{"task_id", "goal_id"}},
		{
			Type: "task.updated", Personal: []string{"details", "validation_result", "ai_feedback"},
			Plain: []string{"task_id", "goal_id", "changed", "status"},
		},
		{Type: "task.started", Plain: []string{"task_id", "goal_id"}},
		{Type: "task.submitted", Plain: []string{"task_id", "goal_id", "snapshot_id", "snapshot_number"}},
		{Type: "task.completed", Personal: []string{"result", "actual_hours"}, Plain: []string{"task_id", "goal_id", "completed_by"}},
		{Type: "task.failed", Personal: []string{"result"}, Plain: []string{"task_id", "goal_id"}},
		{Type: "task.skipped", Plain: []string{"task_id", "goal_id"}},
		{Type: "task.reopened", Plain: []string{"task_id", "goal_id"}},
		{Type: "task.deleted", Plain: []string{"task_id", "goal_id"}},
	},
}
