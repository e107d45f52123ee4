package analytics

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy is what this module keeps about people.
var Privacy = privacy.Registry{Tables: []privacy.Table{
	{
		Name: "analytics.goals", Class: privacy.Derived, Subject: "user_id", Erase: privacy.DeleteBySubject,
		Personal: []string{"user_id"}, Plain: []string{"goal_id", "course_id", "status"},
	},
	{
		Name: "analytics.tasks", Class: privacy.Derived, Subject: "user_id", Erase: privacy.DeleteBySubject,
		Personal: []string{"user_id"},
		Plain:    []string{"task_id", "goal_id", "course_id", "status", "estimated_hours", "actual_hours"},
	},
	{
		Name: "analytics.verdicts", Class: privacy.Derived, Subject: "user_id", Erase: privacy.DeleteBySubject,
		Personal: []string{"user_id"}, Plain: []string{"course_id", "verdict", "runs"},
	},
	{
		Name: "analytics.activity", Class: privacy.Derived, Subject: "user_id", Erase: privacy.DeleteBySubject,
		Personal: []string{"user_id", "day", "last_at"},
		Plain:    []string{"course_id", "events", "submissions", "passed", "tasks_completed", "hints"},
	},
}}
