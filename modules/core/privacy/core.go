package privacy

// Core is what core itself keeps about people. River's jobs are tickets: their
// arguments hold ids of runs and the like, and finished ones are deleted after
// a day.
var Core = Registry{Tables: []Table{
	{
		Name: "core.idempotency_keys", Class: Operational, Subject: "subject_id", Erase: DeleteBySubject,
		Personal: []string{"subject_id", "key", "request_hash", "reply"}, Plain: []string{"procedure", "created_at", "expires_at"},
	},
	{
		// What a person may still do. In Redis, where there is one, it stands under a
		// digest and expires some minutes after the last request.
		Name: "core.limits", Class: Operational, Subject: "subject_id", Erase: DeleteBySubject,
		Personal: []string{"subject_id"},
		Plain:    []string{"name", "credit", "counted_at", "replicas", "amounts", "untils", "expires_at"},
	},
	{
		Name: "core.limit_places", Class: Operational, Subject: "subject_id", Erase: DeleteBySubject,
		Personal: []string{"subject_id"}, Plain: []string{"name", "replica", "held"},
	},
	{
		Name: "core.limit_replicas", Class: Operational, Erase: Impersonal,
		Plain: []string{"id", "alive_until"},
	},
	{
		Name: "core.migrations", Class: Operational, Erase: Impersonal,
		Plain: []string{"id", "version_id", "is_applied", "tstamp"},
	},
	{
		// What is pushed to screens passes through it where replicas can't LISTEN.
		Name: "core.notices", Class: Operational, Erase: Expires,
		Personal: []string{"payload"}, Plain: []string{"id", "channel", "told_at"},
	},
	{
		Name: "river.river_job", Class: Operational, Erase: Expires,
		Personal: []string{"args", "errors", "metadata"},
		Plain: []string{
			"id", "state", "attempt", "max_attempts", "attempted_at", "created_at", "finalized_at", "scheduled_at",
			"priority", "attempted_by", "kind", "queue", "tags", "unique_key", "unique_states",
		},
	},
	{
		Name: "river.river_leader", Class: Operational, Erase: Impersonal,
		Plain: []string{"elected_at", "expires_at", "leader_id", "name"},
	},
	{
		Name: "river.river_migration", Class: Operational, Erase: Impersonal,
		Plain: []string{"line", "version", "created_at"},
	},
	{
		Name: "river.river_notification", Class: Operational, Erase: Impersonal,
		Plain: []string{"id", "created_at", "payload", "topic"},
	},
	{
		Name: "river.river_queue", Class: Operational, Erase: Impersonal,
		Plain: []string{"name", "created_at", "metadata", "paused_at", "updated_at"},
	},
}}
