package validation

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy is what this module keeps about people.
var Privacy = privacy.Registry{
	Tables: []privacy.Table{
		{
			Name: "validation.code_snapshots", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "files", "digest", "created_at"},
			Plain:    []string{"id", "task_id", "course_id", "number", "language", "bytes"},
		},
		{
			Name: "validation.runs", Class: privacy.Folds, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "verdict", "score", "tests_passed", "tests_total", "findings", "summary_en", "summary_es",
				"created_at", "started_at", "finished_at", "previous_verdict"},
			Plain: []string{"id", "snapshot_id", "task_id", "goal_id", "course_id", "snapshot_number", "status", "plugin",
				"plugin_version", "attempt", "deduplicated", "version", "reason", "rejudging_id", "task_problem"},
		},
		{
			Name: "validation.reports", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "report", "created_at"}, Plain: []string{"run_id", "task_id", "course_id", "bytes"},
		},
		{
			Name: "validation.queue", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "enqueued_at"},
			Plain: []string{"run_id", "task_id", "snapshot_id", "course_id", "lane", "position", "available_at", "attempt",
				"lease_token", "lease_until", "leased_at", "worker", "kind", "course_cost"},
		},
		{
			Name: "validation.course_policies", Class: privacy.Operational, Erase: privacy.Impersonal,
			Plain: []string{"course_id", "weight", "max_parallel", "max_pending", "required_integrity", "updated_at"},
		},
		{
			Name: "validation.policy_authors", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "updated_at"}, Plain: []string{"course_id"},
		},
		{
			Name: "validation.rejudgings", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "created_at"}, Plain: []string{"id", "course_id", "task_id", "cursor", "skipped", "listed"},
		},
		{
			Name: "validation.workers", Class: privacy.Operational, Erase: privacy.Impersonal,
			Plain: []string{"name", "slots", "seen_at"},
		},
		{
			Name: "validation.durations", Class: privacy.Operational, Erase: privacy.Impersonal,
			Plain: []string{"kind", "seconds", "runs"},
		},
		{
			Name: "validation.shares", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "virtual_time"}, Plain: []string{"kind", "course_id", "served", "lane"},
		},
		{
			Name: "validation.verdicts", Class: privacy.Derived, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "key", "created_at"}, Plain: []string{"task_id", "run_id"},
		},
	},
	Events: []privacy.Event{
		{
			Type:     "snapshot.submitted",
			Personal: []string{"digest", "files", "bytes"},
			Plain:    []string{"snapshot_id", "task_id", "goal_id", "number", "language"},
		},
		{
			Type:     "validation.queued",
			Personal: []string{"previous_verdict"},
			Plain:    []string{"run_id", "snapshot_id", "task_id", "goal_id", "snapshot_number", "plugin", "reason", "rejudging_id"},
		},
		{
			Type:  "validation.started",
			Plain: []string{"run_id", "snapshot_id", "task_id", "attempt", "snapshot_number"},
		},
		{
			Type:     "validation.completed",
			Personal: []string{"verdict", "score", "tests_passed", "tests_total", "findings", "summary", "previous_verdict"},
			Plain: []string{"run_id", "snapshot_id", "task_id", "goal_id", "snapshot_number", "status", "plugin",
				"plugin_version", "attempt", "deduplicated", "ended", "reason", "task_problem", "newer_snapshot"},
		},
	},
}
