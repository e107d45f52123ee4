package events

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy is what the log keeps about people. What is personal in a payload is
// said by the module whose event it is.
var Privacy = privacy.Registry{
	Tables: []privacy.Table{
		{
			Name: "events.streams", Class: privacy.Log, Subject: "subject_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"subject_id"},
			Plain:    []string{"stream_id", "type", "course_id", "version", "created_at", "updated_at"},
		},
		{
			// A teacher's or an admin's name on a learner's event goes; the event is the learner's.
			Name: "events.events", Class: privacy.Log, Subject: "subject_id", Erase: privacy.DeleteBySubject,
			Mentions: map[string]string{"meta": "actor"},
			Personal: []string{"subject_id", "data", "meta", "occurred_at"},
			Plain:    []string{"position", "event_id", "stream_id", "version", "type", "schema_version", "course_id", "goal_id", "task_id"},
		},
		{
			Name: "events.checkpoints", Class: privacy.Operational, Erase: privacy.Impersonal,
			Plain: []string{"subscription", "position", "updated_at"},
		},
		{
			Name: "events.publishers", Class: privacy.Operational, Erase: privacy.Impersonal,
			Plain: []string{"name", "position", "holder", "leased_until", "updated_at"},
		},
		{
			Name: "events.webhooks", Class: privacy.Facts, Erase: privacy.Impersonal,
			Plain: []string{
				"id", "course_id", "url", "types", "description", "secret", "previous_secret", "previous_until", "enabled",
				"disabled_reason", "failing_since", "created_at", "updated_at", "holder", "leased_until", "look_at", "paused_until", "failures",
			},
		},
		{
			Name: "events.webhook_deliveries", Class: privacy.Operational, Subject: "subject_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"subject_id"},
			Plain: []string{
				"id", "webhook_id", "event_id", "position", "event_type", "status", "attempts", "last_code", "last_error",
				"duration_ms", "created_at", "next_try_at", "delivered_at",
			},
		},
		{
			Name: "events.parked", Class: privacy.Operational, Subject: "subject_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"subject_id", "error"},
			Plain:    []string{"subscription", "stream_id", "position", "attempts", "parked_at", "next_try_at"},
		},
		{
			Name: "events.erasures", Class: privacy.Operational, Subject: "subject_id", Erase: privacy.WhenErased,
			Personal: []string{"subject_id"},
			Plain: []string{
				"id", "number", "subject_hash", "key_id", "source", "state", "found", "erased", "replaced", "holder", "leased_until",
				"attempts", "problem", "requested_at", "finished_at", "receipt",
			},
		},
		{
			Name: "events.erasure_key", Class: privacy.Operational, Erase: privacy.Impersonal,
			Plain: []string{"only_one", "key_id", "noted_at"},
		},
	},
	Events: []privacy.Event{
		{Type: "user.erased", Plain: []string{"subject_hash", "counts"}},
		{Type: "history.imported", Personal: []string{"row"}, Plain: []string{"table", "source_id", "goal_id", "task_id", "event_type"}},
	},
}
