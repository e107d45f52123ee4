package wire_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/modules/core/rpc/wire"
	_ "github.com/goals-tracker/tracker/sdk/gen/tracker/academy/v1"
	_ "github.com/goals-tracker/tracker/sdk/gen/tracker/agents/v1"
	_ "github.com/goals-tracker/tracker/sdk/gen/tracker/analytics/v1"
	goalsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/goals/v1"
	_ "github.com/goals-tracker/tracker/sdk/gen/tracker/validation/v1"
	wirev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/wire/v1"
)

// messages are all message types of the public API and the events.
func messages() []protoreflect.MessageType {
	var all []protoreflect.MessageType
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		if name := string(mt.Descriptor().FullName()); strings.HasPrefix(name, "tracker.") && !mt.Descriptor().IsMapEntry() {
			all = append(all, mt)
		}
		return true
	})
	return all
}

func TestEveryMessageOfTheAPIComesBackAsItWas(t *testing.T) {
	all := messages()
	if len(all) < 80 {
		t.Fatalf("only %d messages are registered", len(all))
	}
	for _, mt := range all {
		t.Run(string(mt.Descriptor().FullName()), rapid.MakeCheck(func(t *rapid.T) {
			want := draw(t, mt.New(), 0).Interface()
			text, err := wire.Marshal(want)
			if err != nil {
				t.Fatalf("marshal %v: %v", want, err)
			}
			if !json.Valid(text) {
				t.Fatalf("not JSON: %s", text)
			}
			for name, unmarshal := range map[string]func([]byte, proto.Message) error{"strict": wire.Unmarshal, "stored": wire.UnmarshalStored} {
				got := mt.New().Interface()
				if err := unmarshal(text, got); err != nil {
					t.Fatalf("%s: unmarshal %s: %v", name, text, err)
				}
				if !proto.Equal(got, want) {
					t.Fatalf("%s: %s\n got %v\nwant %v", name, text, got, want)
				}
			}
		}))
	}
}

func draw(t *rapid.T, m protoreflect.Message, depth int) protoreflect.Message {
	if stamp, ok := m.Interface().(*timestamppb.Timestamp); ok {
		stamp.Seconds = rapid.Int64Range(-62135596800, 253402300799).Draw(t, "seconds")
		stamp.Nanos = rapid.Int32Range(0, 999999).Draw(t, "micros") * 1000
		return m
	}
	if m.Descriptor().FullName() == "google.protobuf.FieldMask" {
		paths := m.Mutable(m.Descriptor().Fields().ByName("paths")).List()
		for range rapid.IntRange(0, 3).Draw(t, "paths") {
			paths.Append(protoreflect.ValueOfString(rapid.StringMatching(`[a-z][a-z_]{0,8}`).Draw(t, "path")))
		}
		return m
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if oneof := f.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() && m.WhichOneof(oneof) != nil {
			continue
		}
		if !rapid.Bool().Draw(t, "has "+string(f.Name())) || depth > 3 {
			continue
		}
		switch {
		case f.IsMap():
			values := m.Mutable(f).Map()
			for range rapid.IntRange(0, 3).Draw(t, "entries") {
				values.Set(drawScalar(t, f.MapKey()).MapKey(), drawScalar(t, f.MapValue()))
			}
		case f.IsList():
			list := m.Mutable(f).List()
			for range rapid.IntRange(0, 3).Draw(t, "items") {
				if f.Message() != nil {
					draw(t, list.AppendMutable().Message(), depth+1)
				} else {
					list.Append(drawScalar(t, f))
				}
			}
		case f.Message() != nil:
			draw(t, m.Mutable(f).Message(), depth+1)
		default:
			m.Set(f, drawScalar(t, f))
		}
	}
	return m
}

func drawScalar(t *rapid.T, f protoreflect.FieldDescriptor) protoreflect.Value {
	text := rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 && (r < 0xd800 || r > 0xdfff) }))
	switch f.Kind() {
	case protoreflect.StringKind:
		if raw, _ := proto.GetExtension(f.Options(), wirev1.E_RawJson).(bool); raw {
			object, err := json.Marshal(rapid.MapOf(text, text).Draw(t, "raw"))
			if err != nil {
				t.Fatal(err)
			}
			return protoreflect.ValueOfString(string(object))
		}
		return protoreflect.ValueOfString(text.Draw(t, "string"))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(f.Enum().Values().Get(rapid.IntRange(0, f.Enum().Values().Len()-1).Draw(t, "enum")).Number())
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "int32"))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "int64"))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "uint32"))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rapid.Float64().Filter(func(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) }).Draw(t, "double"))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(rapid.Float32().Filter(func(x float32) bool { return x-x == 0 }).Draw(t, "float"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	default:
		panic(fmt.Sprintf("no generator for %s", f.Kind()))
	}
}

func FuzzWhatIsAcceptedIsJSONAndStable(f *testing.F) {
	for _, seed := range []string{
		`{"title":"a","metadata":{"a":[1,{"b":null}]},"due_at":"2026-03-01T12:00:00Z","priority":"high"}`,
		`{"id":"x","due_at":null,"update_mask":"title","version":"12"}`,
		`{"validation_criteria":["\ud83d\ude00",""]}`, `[[[[[[`, `{"a":1e999}`, "{\"title\":\"\x00\"}", `"`, `{"title":"\`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, msg := range []proto.Message{&goalsv1.UpdateGoalRequest{}, &goalsv1.Goal{}} {
			if err := wire.Unmarshal(data, msg); err != nil {
				continue
			}
			if !json.Valid(data) {
				t.Fatalf("accepted what is not JSON: %q", data)
			}
			first, err := wire.Marshal(msg)
			if err != nil {
				t.Fatalf("marshal %v: %v", msg, err)
			}
			again := msg.ProtoReflect().New().Interface()
			if err := wire.Unmarshal(first, again); err != nil {
				t.Fatalf("read back %s: %v", first, err)
			}
			if second, err := wire.Marshal(again); err != nil || string(first) != string(second) {
				t.Fatalf("not stable: %s, then %s, %v", first, second, err)
			}
		}
	})
}

func BenchmarkListOfGoals(b *testing.B) {
	course := "c1"
	list := &goalsv1.ListGoalsResponse{}
	for range 20 {
		list.Goals = append(list.Goals, &goalsv1.Goal{
			Id: "0190b6d2-0000-7000-8000-000000000000", UserId: "learner-1", CourseId: &course, Title: "Learn FastAPI", Description: strings.Repeat("words ", 20),
			Status: 2, Priority: 2, Progress: 33.3, Metadata: `{"source":"demo","tags":["a","b"]}`, CreatedAt: noon, UpdatedAt: noon, StartedAt: noon, Version: 4,
			ValidationCriteria: []string{"It runs", "It is tested"},
		})
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		var err error
		if buf, err = wire.MarshalAppend(buf[:0], list); err != nil {
			b.Fatal(err)
		}
	}
}
