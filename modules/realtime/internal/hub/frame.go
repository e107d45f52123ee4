package hub

import (
	"encoding/json"
	"time"

	"github.com/goals-tracker/tracker/modules/events"
)

// Frame is a message from the server.
type Frame struct {
	Type          string          `json:"type"`
	Payload       json.RawMessage `json:"payload"`
	CorrelationID string          `json:"correlation_id,omitempty"`
	Timestamp     time.Time       `json:"timestamp"`
	// Seq is the event's position; only on events.
	Seq int64 `json:"seq,omitempty"`
	// EventID is the event's id; only on events.
	EventID string `json:"event_id,omitempty"`
}

// Encode makes an event's frame.
func Encode(e events.Event) *Encoded {
	frame, err := json.Marshal(Frame{
		Type: e.Type, Payload: e.Raw, Timestamp: e.OccurredAt, Seq: e.Position, EventID: e.ID.String(),
	})
	if err != nil {
		// The log holds valid JSON; a payload that isn't is still announced.
		frame, _ = json.Marshal(Frame{Type: e.Type, Payload: json.RawMessage("null"), Timestamp: e.OccurredAt, Seq: e.Position}) //nolint:errchkjson // null is valid
	}
	return &Encoded{Event: e, Frame: frame}
}
