package goals

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy says what this module keeps about people.
var Privacy = privacy.Registry{
	Tables: []privacy.Table{
		{
			Name: "goals.goals", Class: privacy.Folds, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "title", "description", "validation_criteria", "metadata", "blocked_reason"},
			Plain: []string{
				"id", "course_id", "status", "priority", "ai_generated", "course_deleted",
				"due_at", "started_at", "completed_at", "created_at", "updated_at", "version",
			},
		},
		{
			Name: "goals.goal_progress", Class: privacy.Folds, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "progress", "tasks_total", "tasks_completed"},
			Plain:    []string{"goal_id", "course_id", "manual", "updated_at", "version"},
		},
	},
	Events: []privacy.Event{
		{Type: "goal.created", Personal: []string{"user_id", "details"}, Plain: []string{"goal_id", "ai_generated"}},
		{Type: "goal.updated", Personal: []string{"details"}, Plain: []string{"goal_id", "changed", "course_deleted"}},
		{Type: "goal.started", Plain: []string{"goal_id"}},
		{Type: "goal.completed", Plain: []string{"goal_id", "completed_by"}},
		{Type: "goal.blocked", Personal: []string{"reason"}, Plain: []string{"goal_id"}},
		{Type: "goal.cancelled", Plain: []string{"goal_id"}},
		{Type: "goal.reopened", Plain: []string{"goal_id"}},
		{Type: "goal.deleted", Plain: []string{"goal_id"}},
		{
			Type: "goal.progressed", Personal: []string{"progress", "tasks_total", "tasks_completed"},
			Plain: []string{"goal_id", "manual", "ended"},
		},
	},
}
