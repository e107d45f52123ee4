package hub

import (
	"sync"

	"github.com/goals-tracker/tracker/modules/core/bus"
	"github.com/goals-tracker/tracker/modules/events"
	"github.com/goals-tracker/tracker/modules/realtime/internal/frame"
)

// Push is one thing for a screen: an event, or a transient message.
type Push struct {
	Event     *Event
	Transient *Transient
}

// Bytes is the push as a WebSocket frame.
func (p Push) Bytes() []byte {
	if p.Event != nil {
		return p.Event.Bytes()
	}
	return p.Transient.Bytes()
}

// Event is an event of the log with its WebSocket frame, which is made once for
// all screens, when the first of them wants it.
type Event struct {
	events.Event
	once  sync.Once
	bytes []byte
}

// Bytes is the event as a WebSocket frame.
func (e *Event) Bytes() []byte {
	e.once.Do(func() {
		e.bytes = frame.Message{
			Type: e.Type, Payload: e.Raw, Timestamp: e.OccurredAt, Seq: e.Position, EventID: e.ID.String(),
		}.Bytes()
	})
	return e.bytes
}

// Transient is a message that may be lost, with its frame, made once.
type Transient struct {
	bus.Message
	once  sync.Once
	bytes []byte
}

// Bytes is the message as a WebSocket frame.
func (m *Transient) Bytes() []byte {
	m.once.Do(func() { m.bytes = frame.New(m.Type, "", m.Payload).Bytes() })
	return m.bytes
}
