package main

import (
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
)

// follow are tables with rows of learners that don't say whose they are: by whom
// they are reached. configs/README.md says what to do about them before tables are
// distributed by person.
var follow = map[string]string{
	"tasks.files":        "task_id",
	"agents.checkpoints": "run_id",
	"agents.effects":     "run_id",
	"rag.documents":      "collection_id",
	"rag.chunks":         "document_id",
	"rag.postings":       "collection_id",
	"rag.embeddings":     "collection_id",
}

// everybodys are tables that are no person's: few rows, or caches and hints.
var everybodys = map[string]bool{
	"academy.courses": true, "agents.proofs": true, "core.limit_replicas": true, "core.migrations": true, "core.notices": true, "events.checkpoints": true, "events.erasure_key": true,
	"events.publishers": true, "events.webhooks": true, "llm.course_settings": true, "rag.concepts": true, "rag.concept_edges": true,
	"rag.exercises": true, "rag.policies": true, "rag.spaces": true, "rag.terms": true, "rag.watches": true,
	"validation.course_policies": true, "validation.durations": true, "validation.workers": true,
}

func TestEveryTableThatGrowsWithLearnersSaysWhoseItsRowsAreOrWhatTheyFollow(t *testing.T) {
	rows, err := postgrestest.DB(t).Pool().Query(t.Context(), `
		SELECT c.table_schema || '.' || c.table_name, bool_or(c.column_name IN ('user_id', 'subject_id')), array_agg(c.column_name::text)
		FROM information_schema.columns c
		JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema', 'public', 'river')
		GROUP BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var table string
		var says bool
		var columns []string
		if err := rows.Scan(&table, &says, &columns); err != nil {
			t.Fatal(err)
		}
		seen++
		by, follows := follow[table]
		switch {
		case says && (follows || everybodys[table]):
			t.Errorf("%s says whose its rows are, so it need not be listed", table)
		case says || everybodys[table]:
		case !follows:
			t.Errorf("%s carries no user_id: add it, or say here and in configs/README.md what its rows follow", table)
		default:
			found := false
			for _, c := range columns {
				found = found || c == by
			}
			if !found {
				t.Errorf("%s has no %s to follow, only %v", table, by, columns)
			}
		}
	}
	if err := rows.Err(); err != nil || seen < 40 {
		t.Errorf("only %d tables were found, %v", seen, err)
	}
}
