// Package frame makes what a server sends on a WebSocket: a message as JSON and
// the frame around it, as bytes that are made once and written to any number of
// connections.
package frame

import (
	"encoding/binary"
	"encoding/json"
	"time"
)

// Message is a message from the server.
type Message struct {
	Type          string          `json:"type"`
	Payload       json.RawMessage `json:"payload"`
	CorrelationID string          `json:"correlation_id,omitempty"`
	Timestamp     time.Time       `json:"timestamp"`
	// Seq is the event's position; only on events.
	Seq int64 `json:"seq,omitempty"`
	// EventID is the event's id; only on events.
	EventID string `json:"event_id,omitempty"`
}

// New is a message of now; a payload that can't be written as JSON is null.
func New(kind, correlationID string, payload any) Message {
	raw, given := payload.(json.RawMessage)
	if !given {
		var err error
		if raw, err = json.Marshal(payload); err != nil {
			raw = json.RawMessage("null")
		}
	}
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	return Message{Type: kind, Payload: raw, CorrelationID: correlationID, Timestamp: time.Now().UTC()}
}

// Bytes is the message as one text frame.
func (m Message) Bytes() []byte {
	body, err := json.Marshal(m)
	if err != nil {
		// A payload that is no JSON is still announced, so that its seq is seen.
		m.Payload = json.RawMessage("null")
		body, _ = json.Marshal(m) //nolint:errchkjson // null is valid
	}
	return text(body)
}

// Ping is an empty ping.
func Ping() []byte { return []byte{0x89, 0x00} }

// text is one whole text frame, unmasked as servers send it.
func text(body []byte) []byte {
	const finText = 0x81
	out := make([]byte, 0, len(body)+10)
	switch n := len(body); {
	case n < 126:
		out = append(out, finText, byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, finText, 126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, finText, 127), uint64(n))
	}
	return append(out, body...)
}
