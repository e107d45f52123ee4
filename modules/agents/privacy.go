package agents

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy is what this module keeps about people.
var Privacy = privacy.Registry{
	Tables: []privacy.Table{
		{
			Name: "agents.runs", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "state", "question", "message_en", "message_es"},
			Plain: []string{
				"id", "course_id", "goal_id", "task_id", "validation_run_id", "graph", "graph_version", "status", "node", "numbered", "ended",
				"waiting_for", "wake_at", "wake_seconds", "label", "model_calls", "input_tokens", "output_tokens", "cost_micros",
				"forked_from", "forked_step", "created_at", "updated_at", "finished_at", "version",
			},
		},
		{
			Name: "agents.checkpoints", Class: privacy.Facts, Parent: "agents.runs", Erase: privacy.DeleteWithParent,
			Personal: []string{"state", "due"},
			Plain:    []string{"run_id", "step", "position", "node", "outcome", "attempts", "started_at", "finished_at"},
		},
		{
			Name: "agents.effects", Class: privacy.Facts, Parent: "agents.runs", Erase: privacy.DeleteWithParent,
			Personal: []string{"result", "error"},
			Plain: []string{
				"run_id", "step", "key", "kind", "provider", "model", "input_tokens", "output_tokens", "cost_micros", "begun_at", "ended_at",
			},
		},
		{
			Name: "agents.queue", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "input"},
			Plain: []string{
				"run_id", "step", "node", "held", "lane", "virtual_time", "enqueued_at", "available_at", "attempt",
				"lease_token", "lease_until", "worker",
			},
		},
		{
			Name: "agents.proofs", Class: privacy.Derived, Erase: privacy.Impersonal,
			Plain: []string{"digest", "proof", "made_at"},
		},
		{
			Name: "agents.feedback", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "text", "comments", "rubric"},
			Plain: []string{
				"id", "agent_run_id", "validation_run_id", "task_id", "course_id", "snapshot_number", "label", "dispute", "locale",
				"created_at", "version",
			},
		},
		{
			Name: "agents.disputes", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Digests: map[string]string{"by_key": `left(encode(sha256(convert_to(kind, 'UTF8') || '\x00' || convert_to(output_id::text, 'UTF8')
				|| '\x00' || convert_to(part, 'UTF8') || '\x00' || convert_to(@subject::text, 'UTF8')), 'hex'), 32)`},
			Personal: []string{"user_id", "by_key", "reason", "said", "reasons", "correction"},
			Plain: []string{
				"id", "kind", "output_id", "part", "course_id", "goal_id", "task_id", "by_role", "status", "settled_by", "run_id",
				"created_at", "settled_at", "version",
			},
		},
		{
			Name: "agents.hints", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "text", "looked_at"},
			Plain:    []string{"id", "task_id", "course_id", "number", "level", "citations", "label", "created_at"},
		},
		{
			Name: "agents.messages", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "text", "looked_at", "created_at"},
			Plain:    []string{"task_id", "number", "course_id", "run_id", "sender", "citations", "label"},
		},
		{
			Name: "agents.journeys", Class: privacy.Derived, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "title", "completed_by", "tries", "fails_in_a_row", "hints", "last_try_at", "last_hint_at", "done_at"},
			Plain:    []string{"task_id", "course_id", "goal_id", "concepts", "estimated_hours", "status"},
		},
		{
			Name: "agents.due_goals", Class: privacy.Derived, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "title", "due_at"}, Plain: []string{"goal_id", "course_id", "open"},
		},
		{
			Name: "agents.evaluations", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "mastery", "reasons", "trend", "evidence", "evaluated_at"}, Plain: []string{"id", "course_id"},
		},
		{
			Name: "agents.nudges", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "kind", "text_en", "text_es", "key", "created_at"}, Plain: []string{"id", "goal_id", "task_id"},
		},
		{
			Name: "agents.coach_settings", Class: privacy.Operational, Subject: "user_id", Erase: privacy.DeleteBySubject,
			Personal: []string{"user_id", "enabled", "muted", "quiet_from", "quiet_to", "time_zone", "updated_at"},
		},
	},
	Events: []privacy.Event{
		{Type: "plan.requested", Personal: []string{"wishes"}, Plain: []string{"run_id", "goal_id", "auto_approve", "locale"}},
		{Type: "plan.question_asked", Personal: []string{"question"}, Plain: []string{"run_id", "goal_id"}},
		{Type: "plan.generated", Personal: []string{"plan"}, Plain: []string{"run_id", "goal_id"}},
		{Type: "plan.approved", Plain: []string{"run_id", "goal_id", "task_ids"}},
		{Type: "plan.rejected", Personal: []string{"reason"}, Plain: []string{"run_id", "goal_id"}},
		{
			Type: "feedback.generated", Personal: []string{"text", "comments", "rubric"},
			Plain: []string{"feedback_id", "run_id", "task_id", "validation_run_id", "snapshot_number", "label"},
		},
		{
			Type: "feedback.disputed", Personal: []string{"reason", "reasons", "correction"},
			Plain: []string{"feedback_id", "task_id", "outcome", "dispute_id", "kind", "output_id", "part", "by", "settled_by"},
		},
		{Type: "hint.given", Personal: []string{"text"}, Plain: []string{"hint_id", "task_id", "level", "citations", "label"}},
		{Type: "learner.evaluated", Personal: []string{"mastery", "reasons", "explained", "trend"}, Plain: []string{"course_id"}},
		{Type: "coach.nudged", Personal: []string{"text", "kind"}, Plain: []string{"goal_id", "task_id"}},
	},
}
