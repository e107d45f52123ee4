package academy

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy is what this module keeps about people. What it remembers of them in
// Redis or in memory goes with Service.Forget, and by itself within a day.
var Privacy = privacy.Registry{Tables: []privacy.Table{
	{
		Name: "academy.inbox", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
		Personal: []string{"user_id"},
		Plain: []string{
			"key", "type", "course_id", "occurred_at", "received_at", "state", "done", "attempts", "next_at", "problem",
		},
	},
	{
		Name: "academy.users", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
		Personal: []string{"user_id", "version", "occurred_at"},
	},
	{
		Name: "academy.courses", Class: privacy.Operational, Erase: privacy.Impersonal,
		Plain: []string{"course_id", "version", "occurred_at", "deleted"},
	},
}}
