package events

import (
	"errors"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
	wirev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/wire/v1"
)

// payloadTypes are the messages that carry the event option, by event type, of
// all generated packages that are linked in.
var payloadTypes = sync.OnceValue(func() map[string]protoreflect.MessageType {
	types := map[string]protoreflect.MessageType{}
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		name := TypeOf(mt.Descriptor())
		if name == "" {
			return true
		}
		if other, taken := types[name]; taken {
			panic(fmt.Sprintf("events: %s and %s are both payloads of %q", other.Descriptor().FullName(), mt.Descriptor().FullName(), name))
		}
		types[name] = mt
		return true
	})
	return types
})

// payloadNames are the event types by the full name of their message.
var payloadNames = sync.OnceValue(func() map[protoreflect.FullName]string {
	names := map[protoreflect.FullName]string{}
	for name, mt := range payloadTypes() {
		names[mt.Descriptor().FullName()] = name
	}
	return names
})

// TypeOf is the event type whose payload a message is; "" when it is none.
func TypeOf(message protoreflect.MessageDescriptor) string {
	options := message.Options()
	if options == nil || !proto.HasExtension(options, wirev1.E_Event) {
		return ""
	}
	name, _ := proto.GetExtension(options, wirev1.E_Event).(string)
	return name
}

// Types are all event types that this binary knows.
func Types() []string { return sortedKeys(payloadTypes()) }

// Upcaster turns a payload of an older schema version, as JSON, into the next.
type Upcaster func(data []byte) ([]byte, error)

type upcastKey struct {
	eventType string
	from      int
}

// codec knows how payloads are stored.
type codec struct{ upcasters map[upcastKey]Upcaster }

// current is the schema version that is written.
func (c *codec) current(eventType string) int {
	version := 1
	for c.upcasters[upcastKey{eventType, version}] != nil {
		version++
	}
	return version
}

// encode gives the stored form, and the payload as whoever reads it back will
// see it: state made from it equals state made from the log.
func (c *codec) encode(payload proto.Message) (eventType string, data []byte, stored proto.Message, err error) {
	message := payload.ProtoReflect()
	eventType = payloadNames()[message.Descriptor().FullName()]
	if eventType == "" {
		return "", nil, nil, fmt.Errorf("%s is no event payload: it lacks option (tracker.wire.v1.event)", message.Descriptor().FullName())
	}
	if data, err = wire.Marshal(payload); err != nil {
		return eventType, nil, nil, fmt.Errorf("encode %s: %w", eventType, err)
	}
	stored = message.New().Interface()
	if err = wire.UnmarshalStored(data, stored); err != nil {
		return eventType, nil, nil, fmt.Errorf("read back %s: %w", eventType, err)
	}
	return eventType, data, stored, nil
}

// errUnknownType is an event of a module that this binary does not have.
var errUnknownType = errors.New("no payload message is known for this event type")

// decode brings a stored payload to the current schema and reads it.
func (c *codec) decode(eventType string, schema int, data []byte) (raw []byte, version int, payload proto.Message, err error) {
	for {
		up := c.upcasters[upcastKey{eventType, schema}]
		if up == nil {
			break
		}
		if data, err = up(data); err != nil {
			return data, schema, nil, fmt.Errorf("upcast %s from schema %d: %w", eventType, schema, err)
		}
		schema++
	}
	mt, known := payloadTypes()[eventType]
	if !known {
		return data, schema, nil, fmt.Errorf("%s: %w", eventType, errUnknownType)
	}
	payload = mt.New().Interface()
	if err := wire.UnmarshalStored(data, payload); err != nil {
		return data, schema, nil, fmt.Errorf("read payload of %s (schema %d): %w", eventType, schema, err)
	}
	return data, schema, payload, nil
}

// idField is a top-level string field of a payload as a UUID; the zero one when
// it has none.
func idField(payload proto.Message, name protoreflect.Name) uuid.NullUUID {
	message := payload.ProtoReflect()
	field := message.Descriptor().Fields().ByName(name)
	if field == nil || field.Kind() != protoreflect.StringKind || field.IsList() {
		return uuid.NullUUID{}
	}
	id, err := uuid.Parse(message.Get(field).String())
	return uuid.NullUUID{UUID: id, Valid: err == nil}
}
