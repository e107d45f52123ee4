package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"buf.build/go/protovalidate"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
	"github.com/goals-tracker/tracker/modules/events"
	wirev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/wire/v1"
)

// promisedEvents are what others were shown of events: a line for each field.
const promisedEvents = "testdata/events.txt"

// Who listens to events was promised their fields. New ones may come (-update
// notes them); one that goes, or becomes something else, breaks somebody.
func TestEventsKeepTheFieldsThatOthersWereShown(t *testing.T) {
	now := map[string]bool{}
	for _, eventType := range events.Types() {
		text, ok := rpc.EventSchema(eventType)
		var schema map[string]any
		if err := json.Unmarshal(text, &schema); err != nil || !ok {
			t.Fatalf("%s has no schema: %v", eventType, err)
		}
		if id := schema["$id"]; id != "/schemas/"+eventType+".json" {
			t.Errorf("the schema of %s calls itself %v", eventType, id)
		}
		flatten(schema, schema, eventType, nil, now)
	}
	promised, err := os.ReadFile(promisedEvents)
	if err != nil && !*update {
		t.Fatal(err)
	}
	broken := 0
	for line := range strings.Lines(string(promised)) {
		if line = strings.TrimSpace(line); !now[line] {
			broken++
			t.Errorf("others count on %q, which is no more", line)
		}
		delete(now, line)
	}
	if len(now) == 0 || broken > 0 {
		return
	}
	if !*update {
		t.Errorf("new, and to be noted by go test ./cmd/tracker -run %s -update: %v", t.Name(), slices.Sorted(maps.Keys(now)))
		return
	}
	all := slices.Sorted(maps.Keys(now))
	for line := range strings.Lines(string(promised)) {
		all = append(all, strings.TrimSpace(line))
	}
	slices.Sort(all)
	if err := os.WriteFile(promisedEvents, []byte(strings.Join(all, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// flatten writes a line for each property below a schema, and for each word of
// an enumeration.
func flatten(root, schema map[string]any, path string, above []string, lines map[string]bool) {
	if ref, ok := schema["$ref"].(string); ok {
		if slices.Contains(above, ref) {
			lines[path+" again"] = true // it holds itself
			return
		}
		defs, _ := root["$defs"].(map[string]any)
		def, _ := defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		flatten(root, def, path, append(slices.Clone(above), ref), lines)
		return
	}
	lines[fmt.Sprintf("%s %v", path, schema["type"])] = true
	words, _ := schema["enum"].([]any)
	for _, word := range words {
		lines[fmt.Sprintf("%s = %q", path, word)] = true
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, property := range properties {
		if property, ok := property.(map[string]any); ok {
			flatten(root, property, path+"."+name, above, lines)
		}
	}
	for key, mark := range map[string]string{"items": "[]", "additionalProperties": ".*"} {
		if below, ok := schema[key].(map[string]any); ok {
			flatten(root, below, path+mark, above, lines)
		}
	}
}

func TestAPayloadWithEveryFieldFitsTheSchemaOfItsEvent(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	for _, eventType := range events.Types() {
		text, _ := rpc.EventSchema(eventType)
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		address := "https://tracker.example.org/schemas/" + eventType + ".json"
		if err := compiler.AddResource(address, document); err != nil {
			t.Fatal(err)
		}
		schema, err := compiler.Compile(address)
		if err != nil {
			t.Fatalf("%s: %v", eventType, err)
		}
		mt, err := protoregistry.GlobalTypes.FindMessageByName(rpc.EventTypes()[eventType].FullName())
		if err != nil {
			t.Fatal(err)
		}
		message := mt.New()
		fill(message, 6)
		payload, err := wire.Marshal(message.Interface())
		if err != nil {
			t.Fatalf("%s: %v", eventType, err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(payload))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", eventType, err, payload)
		}
	}
}

// fill sets every field, down to a depth.
func fill(m protoreflect.Message, depth int) {
	if at, ok := m.Interface().(*timestamppb.Timestamp); ok {
		at.Seconds = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Unix()
		return
	}
	if strings.HasPrefix(string(m.Descriptor().FullName()), "google.protobuf.") || depth == 0 {
		return
	}
	for i := range m.Descriptor().Fields().Len() {
		field := m.Descriptor().Fields().Get(i)
		switch {
		case field.IsMap():
			values := m.Mutable(field).Map()
			values.Set(sample(field.MapKey(), nil, 0).MapKey(), sample(field.MapValue(), values.NewValue, depth))
		case field.IsList():
			values := m.Mutable(field).List()
			values.Append(sample(field, values.NewElement, depth))
		default:
			m.Set(field, sample(field, func() protoreflect.Value { return m.NewField(field) }, depth))
		}
	}
}

func sample(field protoreflect.FieldDescriptor, fresh func() protoreflect.Value, depth int) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.MessageKind:
		value := fresh()
		fill(value.Message(), depth-1)
		return value
	case protoreflect.EnumKind:
		values := field.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(values.Len() - 1).Number())
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(word(field))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte("x"))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(1)
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(1)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(1)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(1)
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(1)
	default:
		return protoreflect.ValueOfInt32(1)
	}
}

func word(field protoreflect.FieldDescriptor) string {
	if raw, _ := proto.GetExtension(field.Options(), wirev1.E_RawJson).(bool); raw {
		return `{"a":1}`
	}
	rules, err := protovalidate.ResolveFieldRules(field)
	if field.IsList() {
		rules = rules.GetRepeated().GetItems()
	}
	switch text := rules.GetString(); {
	case err == nil && len(text.GetIn()) > 0:
		return text.GetIn()[0]
	default:
		return "019283c0-0000-7000-8000-000000000000" // an id, or a word like any other
	}
}
