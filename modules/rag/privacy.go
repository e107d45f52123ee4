package rag

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy is what this module keeps about people. A collection that belongs to
// a person takes all that hangs on it along; course material names nobody.
var Privacy = privacy.Registry{Tables: []privacy.Table{
	{
		Name: "rag.collections", Class: privacy.Facts, Subject: "user_id", Erase: privacy.DeleteBySubject,
		Personal: []string{"user_id"}, Plain: []string{"id", "course_id", "shared", "chunks", "tokens"},
	},
	{
		Name: "rag.documents", Class: privacy.Facts, Parent: "rag.collections", Erase: privacy.DeleteWithParent,
		Personal: []string{"path", "title", "content", "meta", "digest"},
		Plain:    []string{"id", "collection_id", "kind", "language", "chunks", "pipeline", "created_at", "updated_at"},
	},
	{
		Name: "rag.chunks", Class: privacy.Derived, Parent: "rag.documents", Erase: privacy.DeleteWithParent,
		Personal: []string{"heading", "text", "terms", "digest"},
		Plain: []string{"id", "num", "document_id", "collection_id", "position", "kind", "language",
			"start_line", "end_line", "start_byte", "end_byte", "tokens"},
	},
	{
		Name: "rag.terms", Class: privacy.Derived, Parent: "rag.collections", Erase: privacy.DeleteWithParent,
		Personal: []string{"term"}, Plain: []string{"collection_id", "chunks"},
	},
	{
		Name: "rag.postings", Class: privacy.Derived, Parent: "rag.collections", Erase: privacy.DeleteWithParent,
		Personal: []string{"term"}, Plain: []string{"collection_id", "chunk", "tf", "tokens"},
	},
	{
		Name: "rag.embeddings", Class: privacy.Derived, Parent: "rag.chunks", Erase: privacy.DeleteWithParent,
		Personal: []string{"embedding"}, Plain: []string{"space_id", "chunk", "collection_id", "created_at"},
	},
	{
		Name: "rag.spaces", Class: privacy.Facts, Erase: privacy.Impersonal,
		Plain: []string{"id", "provider", "model", "dims", "version", "state", "weight", "created_at", "activated_at",
			"worker", "leased_till", "problem", "retired_at", "pinned"},
	},
	{
		Name: "rag.concepts", Class: privacy.Derived, Erase: privacy.Impersonal,
		Plain: []string{"collection_id", "key", "name", "position", "unit", "taught", "updated_at"},
	},
	{
		Name: "rag.concept_edges", Class: privacy.Derived, Erase: privacy.Impersonal,
		Plain: []string{"collection_id", "kind", "concept", "needs", "document_id", "heading", "broken"},
	},
	{
		Name: "rag.policies", Class: privacy.Facts, Erase: privacy.Impersonal,
		Plain: []string{"course_id", "default_scope", "peer_snapshots", "settled", "updated_at"},
	},
	{
		Name: "rag.watches", Class: privacy.Operational, Erase: privacy.Impersonal,
		Plain: []string{"course_id", "holder", "held_until", "fingerprint", "problem", "ran_at"},
	},
	{
		Name: "rag.exercises", Class: privacy.Facts, Erase: privacy.Impersonal,
		Plain: []string{"id", "collection_id", "document_id", "course_id", "path", "slug", "title", "concepts",
			"difficulty", "estimated_hours", "language", "meta", "files", "created_at", "updated_at"},
	},
}}
