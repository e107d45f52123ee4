package tasks_test

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/tasks"
	tasksv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/tasks/v1"
)

func TestWhatIsKeptAboutPeopleIsWhollyRegistered(t *testing.T) {
	b := setup(t)
	rows, err := b.db.Pool().Query(t.Context(), `SELECT table_schema || '.' || table_name, column_name
		FROM information_schema.columns WHERE table_schema = 'tasks'`)
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		columns[table] = append(columns[table], column)
	}
	fields := map[string][]string{}
	messages := tasksv1.File_tracker_tasks_v1_events_proto.Messages()
	for i := range messages.Len() {
		if name := events.TypeOf(messages.Get(i)); name != "" {
			fields[name] = names(messages.Get(i))
		}
	}
	if len(columns) != 2 || len(fields) != 9 || !slices.Contains(events.Types(), "task.created") {
		t.Errorf("%d tables and %d events were found", len(columns), len(fields))
	}
	if wrong := tasks.Privacy.Check(columns, fields); len(wrong) > 0 {
		t.Error(strings.Join(wrong, "\n"))
	}
}

func names(message protoreflect.MessageDescriptor) (all []string) {
	for i := range message.Fields().Len() {
		all = append(all, string(message.Fields().Get(i).Name()))
	}
	return all
}
