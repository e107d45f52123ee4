package events

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
)

// Stream is the history of one entity.
type Stream struct {
	// Type is what it is: "goal", "goal-progress", "task". It holds no colon.
	Type string
	// ID is the entity's id. With Type it names the stream.
	ID string
	// SubjectID is the user whose data it is, and never changes; "" for none.
	SubjectID string
	// CourseID is the course it belongs to now; "" for none. Each event keeps
	// the one it was appended with: that course's teachers may read it.
	CourseID string
}

// Name is how the database names the stream: "goal:0190…".
func (s Stream) Name() string { return s.Type + ":" + s.ID }

// ParseStream splits a stream's name into type and id; ok is false when it has
// not the form "type:id".
func ParseStream(name string) (s Stream, ok bool) {
	kind, id, ok := strings.Cut(name, ":")
	return Stream{Type: kind, ID: id}, ok && kind != "" && id != ""
}

// Meta is what is known about how an event came to be.
type Meta struct {
	// Actor is a user id, or "system:<part>".
	Actor string `json:"actor"`
	// RequestID is the request's, when one caused it.
	RequestID string `json:"request_id,omitempty"`
}

// Event is one entry of the log.
type Event struct {
	// Position is the place in the log; it grows, with gaps. 0 until committed.
	Position int64
	// ID is a UUIDv7.
	ID     uuid.UUID
	Stream Stream
	// Version is the place in the stream, from 1. 0 until committed when it was
	// appended to AnyVersion.
	Version int64
	// Type is "goal.created" and the like.
	Type string
	// SchemaVersion is that of Raw, so the current one after upcasting.
	SchemaVersion int
	// Data is the payload. Nil when this server does not know the type, or
	// can't read the payload.
	Data proto.Message
	// Raw is the payload as wire JSON. Read only.
	Raw  []byte
	Meta Meta
	// OccurredAt is the instant of the unit of work, UTC, whole microseconds.
	OccurredAt time.Time
}
