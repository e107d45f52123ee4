package validation

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy is what this module keeps about people.
var Privacy = privacy.Registry{
	Tables: []privacy.Table{
		{
			Name: "validation.code_snapshots", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "files", "digest", "created_at"},
			Plain:    []string{"id", "task_id", "course_id", "number", "language"},
		},
		{
			Name: "validation.runs", Class: privacy.Folds, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "verdict", "score", "tests_passed", "tests_total", "findings", "summary_en", "summary_es",
				"created_at", "started_at", "finished_at"},
			Plain: []string{"id", "snapshot_id", "task_id", "goal_id", "course_id", "snapshot_number", "status", "plugin",
				"plugin_version", "attempt", "deduplicated", "version"},
		},
		{
			Name: "validation.reports", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "report", "created_at"}, Plain: []string{"run_id", "task_id", "course_id"},
		},
		{
			Name: "validation.queue", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "enqueued_at"},
			Plain: []string{"run_id", "task_id", "snapshot_id", "course_id", "lane", "position", "available_at", "attempt",
				"lease_token", "lease_until", "worker"},
		},
		{
			Name: "validation.shares", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "virtual_time"}, Plain: []string{"kind", "course_id", "served"},
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
			Type:  "validation.queued",
			Plain: []string{"run_id", "snapshot_id", "task_id", "goal_id", "snapshot_number", "plugin"},
		},
		{
			Type:  "validation.started",
			Plain: []string{"run_id", "snapshot_id", "task_id", "attempt"},
		},
		{
			Type:     "validation.completed",
			Personal: []string{"verdict", "score", "tests_passed", "tests_total", "findings", "summary"},
			Plain: []string{"run_id", "snapshot_id", "task_id", "goal_id", "snapshot_number", "status", "plugin",
				"plugin_version", "attempt", "deduplicated", "ended"},
		},
	},
}
