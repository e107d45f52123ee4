package rag_test

import (
	"testing"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/rag"
)

func TestEveryColumnIsInThePrivacyRegistry(t *testing.T) {
	db := postgrestest.DB(t)
	rows, err := db.Pool().Query(t.Context(), `SELECT table_schema || '.' || table_name, column_name::text
		FROM information_schema.columns WHERE table_schema = 'rag'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		columns[table] = append(columns[table], column)
	}
	if len(columns) < 8 {
		t.Errorf("only %d tables", len(columns))
	}
	for _, wrong := range rag.Privacy.Check(columns, nil) {
		t.Error(wrong)
	}
}
