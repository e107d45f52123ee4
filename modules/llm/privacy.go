package llm

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy says what this module keeps about people.
var Privacy = privacy.Registry{Tables: []privacy.Table{{
	Name: "llm.usage", Class: privacy.Facts, Subject: "user_id",
	Personal: []string{"user_id", "course_id", "run_id"},
	Plain: []string{
		"id", "purpose", "provider", "model", "input_tokens", "output_tokens", "cost_micros",
		"price_version", "created_at", "settled_at",
	},
	Erase: privacy.DeleteBySubject,
}, {
	Name: "llm.learner_settings", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
	Personal: []string{"user_id", "local_only", "updated_at"},
}, {
	Name: "llm.learner_budgets", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
	Personal: []string{"user_id", "daily_micros", "updated_at"},
}, {
	Name: "llm.course_settings", Class: privacy.Operational, Erase: privacy.Impersonal,
	Plain: []string{"course_id", "local_only", "daily_micros", "updated_at"},
}, {
	Name: "llm.answers", Class: privacy.Derived, Subject: "user_id", Erase: privacy.DeleteBySubject,
	Personal: []string{"user_id", "answer"}, Plain: []string{"key", "expires_at"},
}}}
