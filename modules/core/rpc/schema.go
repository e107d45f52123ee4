package rpc

import (
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strings"
	"sync"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
	wirev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/wire/v1"
)

// object is a piece of a JSON document.
type object = map[string]any

// schemas makes JSON Schemas of messages in their wire form, each once.
type schemas struct {
	prefix string // of references: "#/components/schemas/"
	made   object
}

// ref makes the message's schema, and a reference to it.
func (s *schemas) ref(desc protoreflect.MessageDescriptor) object {
	name := strings.TrimPrefix(string(desc.FullName()), "tracker.")
	if _, ok := s.made[name]; !ok {
		s.made[name] = nil // a message may hold itself
		s.made[name] = s.message(desc)
	}
	return object{"$ref": s.prefix + name}
}

func (s *schemas) message(desc protoreflect.MessageDescriptor) object {
	properties, required := object{}, []string{}
	for i := range desc.Fields().Len() {
		field := desc.Fields().Get(i)
		properties[string(field.Name())] = s.field(field)
		rules, err := protovalidate.ResolveFieldRules(field)
		if err == nil && needed(field, rules) {
			required = append(required, string(field.Name()))
		}
	}
	out := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// needed: the empty value does not pass.
func needed(field protoreflect.FieldDescriptor, rules *validate.FieldRules) bool {
	if field.HasPresence() || rules.GetIgnore() == validate.Ignore_IGNORE_IF_ZERO_VALUE {
		return rules.GetRequired()
	}
	text, list := rules.GetString(), rules.GetRepeated()
	oneOf := len(text.GetIn()) > 0 && !slices.Contains(text.GetIn(), "")
	return rules.GetRequired() || text.GetMinLen() > 0 || text.GetUuid() || oneOf || list.GetMinItems() > 0
}

func (s *schemas) field(field protoreflect.FieldDescriptor) object {
	if field.IsMap() {
		return object{"type": "object", "additionalProperties": s.single(field.MapValue(), nil)}
	}
	rules, _ := protovalidate.ResolveFieldRules(field)
	if !field.IsList() {
		return s.single(field, rules)
	}
	list := rules.GetRepeated()
	out := object{"type": "array", "items": s.single(field, list.GetItems())}
	if list.HasMaxItems() {
		out["maxItems"] = list.GetMaxItems()
	}
	if list.GetMinItems() > 0 {
		out["minItems"] = list.GetMinItems()
	}
	return out
}

func (s *schemas) single(field protoreflect.FieldDescriptor, rules *validate.FieldRules) object {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return object{"type": "boolean"}
	case protoreflect.EnumKind:
		return object{"type": "string", "enum": wire.EnumNames(field.Enum())}
	case protoreflect.StringKind:
		if raw, _ := proto.GetExtension(field.Options(), wirev1.E_RawJson).(bool); raw {
			return object{"type": "object", "additionalProperties": true}
		}
		return text(rules.GetString())
	case protoreflect.BytesKind:
		return object{"type": "string", "contentEncoding": "base64"}
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		out := object{"type": "number"}
		bound(out, rules.GetDouble().HasGte(), rules.GetDouble().GetGte(), rules.GetDouble().HasLte(), rules.GetDouble().GetLte())
		return out
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return s.special(field.Message())
	default:
		return integer(field, rules)
	}
}

func text(rules *validate.StringRules) object {
	out := object{"type": "string"}
	if rules.HasMaxLen() {
		out["maxLength"] = rules.GetMaxLen()
	}
	if rules.GetMinLen() > 0 {
		out["minLength"] = rules.GetMinLen()
	}
	if rules.GetUuid() {
		out["format"] = "uuid"
	}
	if len(rules.GetIn()) > 0 {
		out["enum"] = rules.GetIn()
	}
	return out
}

func integer(field protoreflect.FieldDescriptor, rules *validate.FieldRules) object {
	out := object{"type": "integer", "format": strings.TrimPrefix(field.Kind().String(), "s")}
	if strings.HasPrefix(field.Kind().String(), "uint") {
		out["minimum"] = 0
	}
	i32, i64, u32, u64 := rules.GetInt32(), rules.GetInt64(), rules.GetUint32(), rules.GetUint64()
	bound(out, i32.HasGte(), i32.GetGte(), i32.HasLte(), i32.GetLte())
	bound(out, i64.HasGte(), i64.GetGte(), i64.HasLte(), i64.GetLte())
	bound(out, u32.HasGte(), u32.GetGte(), u32.HasLte(), u32.GetLte())
	bound(out, u64.HasGte(), u64.GetGte(), u64.HasLte(), u64.GetLte())
	return out
}

func bound[T any](out object, hasLow bool, low T, hasHigh bool, high T) {
	if hasLow {
		out["minimum"] = low
	}
	if hasHigh {
		out["maximum"] = high
	}
}

func (s *schemas) special(desc protoreflect.MessageDescriptor) object {
	switch desc.FullName() {
	case "google.protobuf.Timestamp":
		return object{"type": "string", "format": "date-time"}
	case "google.protobuf.Duration":
		return object{"type": "string", "pattern": `^-?[0-9]+(\.[0-9]+)?s$`}
	case "google.protobuf.FieldMask":
		return object{"type": "string", "description": "Names of fields, with commas: title,due_at"}
	case "google.protobuf.Empty":
		return object{"type": "object", "additionalProperties": false}
	case "google.protobuf.Struct":
		return object{"type": "object", "additionalProperties": true}
	default:
		return s.ref(desc)
	}
}

// EventTypes are the payloads of events by type, "goal.created".
var EventTypes = sync.OnceValue(func() map[string]protoreflect.MessageDescriptor {
	all := map[string]protoreflect.MessageDescriptor{}
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		if name, _ := proto.GetExtension(mt.Descriptor().Options(), wirev1.E_Event).(string); name != "" {
			all[name] = mt.Descriptor()
		}
		return true
	})
	return all
})

// eventSchema is the JSON Schema of an event's payload.
func eventSchema(name string, desc protoreflect.MessageDescriptor) object {
	s := &schemas{prefix: "#/$defs/", made: object{}}
	out := s.message(desc)
	// Payloads grow: readers must not refuse what is new.
	delete(out, "additionalProperties")
	for _, def := range s.made {
		if def, ok := def.(object); ok {
			delete(def, "additionalProperties")
		}
	}
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	// Relative: it is what the schema was fetched by, and what dataschema names.
	out["$id"] = "/schemas/" + name + ".json"
	out["title"] = name
	if len(s.made) > 0 {
		out["$defs"] = s.made
	}
	return out
}

// EventSchema is the JSON Schema (2020-12) of an event type's payload, as
// /schemas/ serves it; ok is false for types that this binary does not know.
func EventSchema(eventType string) (text []byte, ok bool) {
	desc, ok := EventTypes()[eventType]
	if !ok {
		return nil, false
	}
	text, err := json.MarshalIndent(eventSchema(eventType, desc), "", "  ")
	return text, err == nil
}

// schemasHandler serves /schemas/ (which types there are) and /schemas/<type>.json.
func schemasHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/schemas/")
		var body any
		if name == "" {
			paths := make([]string, 0, len(EventTypes()))
			for name := range EventTypes() {
				paths = append(paths, "/schemas/"+name+".json")
			}
			sort.Strings(paths)
			body = object{"schemas": paths}
		} else if desc, ok := EventTypes()[strings.TrimSuffix(name, ".json")]; ok {
			body = eventSchema(strings.TrimSuffix(name, ".json"), desc)
		} else {
			writeProblem(w, r, ErrNoRoute.New(r.Method, r.URL.Path))
			return
		}
		text, err := json.MarshalIndent(body, "", "  ")
		if err != nil {
			writeProblem(w, r, ErrInternal.New(RequestID(r.Context())))
			return
		}
		w.Header().Set("Content-Type", "application/schema+json")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(text)
	})
}
