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
}}}
