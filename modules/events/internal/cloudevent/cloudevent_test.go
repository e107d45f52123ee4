package cloudevent_test

import (
	"encoding/json"
	"testing"

	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/events/internal/cloudevent"
)

// A replica of an older version may send what a newer one wrote.
func TestFieldsAndTypesThatNobodyCalledImpersonalStayHere(t *testing.T) {
	f := cloudevent.Format{Source: "https://tracker.example.org", Keep: map[string][]string{"goal.created": {"goal_id"}}}
	for eventType, want := range map[string]string{"goal.created": `{"goal_id":"g"}`, "goal.painted": `{}`} {
		text, err := f.Marshal(events.Event{Type: eventType, Raw: []byte(`{"goal_id":"g","details":{"title":"T"},"added_later":"mine"}`)})
		if err != nil {
			t.Fatal(err)
		}
		var sent struct {
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(text, &sent); err != nil || string(sent.Data) != want {
			t.Errorf("of %s %s is sent, want %s (%v)", eventType, sent.Data, want, err)
		}
	}
	if _, err := f.Marshal(events.Event{Type: "goal.created", Raw: []byte(`no JSON`)}); err == nil {
		t.Error("a payload that can't be read is sent")
	}
}
