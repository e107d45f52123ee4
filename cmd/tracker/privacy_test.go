package main

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/goals-tracker/tracker/modules/core/postgres/postgrestest"
	"github.com/goals-tracker/tracker/modules/events"
)

func TestEveryTableColumnAndEventFieldIsInThePrivacyRegistry(t *testing.T) {
	rows, err := postgrestest.DB(t).Pool().Query(t.Context(), `
		SELECT c.table_schema || '.' || c.table_name, c.column_name
		FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')`)
	if err != nil {
		t.Fatal(err)
	}
	type column struct{ Table, Name string }
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[column])
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string][]string{}
	for _, c := range found {
		columns[c.Table] = append(columns[c.Table], c.Name)
	}
	fields := map[string][]string{}
	protoregistry.GlobalTypes.RangeMessages(func(m protoreflect.MessageType) bool {
		desc := m.Descriptor()
		if eventType := events.TypeOf(desc); eventType != "" {
			fields[eventType] = []string{}
			for i := range desc.Fields().Len() {
				fields[eventType] = append(fields[eventType], string(desc.Fields().Get(i).Name()))
			}
		}
		return true
	})
	if len(columns) < 20 || len(fields) < 25 {
		t.Errorf("only %d tables and %d events were found", len(columns), len(fields))
	}
	for _, wrong := range personal.Check(columns, fields) {
		t.Error(wrong)
	}
}
