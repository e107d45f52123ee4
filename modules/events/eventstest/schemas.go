package eventstest

import (
	"bytes"
	"context"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/goals-tracker/tracker/modules/core/auth"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
)

// CheckSchemas fails the test when an event of the log does not fit the JSON
// Schema that others are shown for its type. It says how many it has looked at.
func CheckSchemas(t testing.TB, db *postgres.DB, log *events.Log) int {
	t.Helper()
	reader := auth.System("eventstest")
	f := events.Filter{For: reader, Limit: 1000}
	compiled := map[string]*jsonschema.Schema{}
	count := 0
	for {
		// The test's own context may have ended: cleanups run after it.
		found, next, err := log.Read(context.WithoutCancel(t.Context()), db.As(reader), f)
		if err != nil {
			t.Fatalf("eventstest: read the log: %v", err)
		}
		for _, e := range found {
			schema := compiled[e.Type]
			if schema == nil {
				schema = compile(t, e.Type)
				compiled[e.Type] = schema
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(e.Raw))
			if err == nil {
				err = schema.Validate(value)
			}
			if err != nil {
				t.Errorf("event %d, %s, does not fit /schemas/%s.json: %v\n%s", e.Position, e.Type, e.Type, err, e.Raw)
			}
			count++
		}
		if next == 0 {
			return count
		}
		f.After = next
	}
}

func compile(t testing.TB, eventType string) *jsonschema.Schema {
	t.Helper()
	text, ok := rpc.EventSchema(eventType)
	if !ok {
		t.Fatalf("eventstest: there is no schema of %s", eventType)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("eventstest: the schema of %s is no JSON: %v", eventType, err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	address := "https://tracker.example.org/schemas/" + eventType + ".json"
	if err := compiler.AddResource(address, document); err != nil {
		t.Fatalf("eventstest: the schema of %s: %v", eventType, err)
	}
	schema, err := compiler.Compile(address)
	if err != nil {
		t.Fatalf("eventstest: the schema of %s: %v", eventType, err)
	}
	return schema
}
