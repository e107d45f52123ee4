package wire

import (
	"strconv"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	wirev1 "github.com/goals-tracker/tracker/sdk/gen/tracker/wire/v1"
)

// plan is what the codec knows of a message type.
type plan struct {
	special protoreflect.FullName // a well-known type with a form of its own
	fields  []*field
	byName  map[string]*field // aliases included
	mask    *field            // update_mask
}

// field is what the codec knows of a field.
type field struct {
	desc  protoreflect.FieldDescriptor
	index int
	name  string
	key   []byte // `"name":`
	raw   bool
	kind  protoreflect.Kind
	list  bool
	isMap bool
	enum  *enum
	// optional fields are left out when they are unset.
	optional bool
	// control fields address the change and are not part of it.
	control bool
	mapKey  protoreflect.FieldDescriptor
	value   *field // of a map
	message func() *plan
}

var plans sync.Map // protoreflect.MessageDescriptor → *plan

func planOf(desc protoreflect.MessageDescriptor) *plan {
	if made, ok := plans.Load(desc); ok {
		if p, ok := made.(*plan); ok {
			return p
		}
	}
	p := newPlan(desc)
	plans.Store(desc, p)
	return p
}

func newPlan(desc protoreflect.MessageDescriptor) *plan {
	p := &plan{byName: map[string]*field{}}
	if isSpecial(desc.FullName()) {
		p.special = desc.FullName()
	}
	fields := desc.Fields()
	for i := range fields.Len() {
		f := newField(fields.Get(i), i)
		p.fields = append(p.fields, f)
		p.byName[f.name] = f
		if alias, _ := proto.GetExtension(f.desc.Options(), wirev1.E_Alias).(string); alias != "" {
			p.byName[alias] = f
		}
		if f.name == "update_mask" && f.kind == protoreflect.MessageKind && f.desc.Message().FullName() == "google.protobuf.FieldMask" {
			p.mask = f
		}
	}
	return p
}

func newField(desc protoreflect.FieldDescriptor, index int) *field {
	f := &field{
		desc:     desc,
		index:    index,
		name:     string(desc.Name()),
		kind:     desc.Kind(),
		list:     desc.IsList(),
		isMap:    desc.IsMap(),
		optional: desc.HasPresence(),
	}
	f.key = append(strconv.AppendQuote(nil, f.name), ':')
	f.raw, _ = proto.GetExtension(desc.Options(), wirev1.E_RawJson).(bool)
	f.control = f.name == "id" || f.name == "version" || f.name == "update_mask"
	switch {
	case f.isMap:
		f.mapKey = desc.MapKey()
		f.value = newField(desc.MapValue(), 0)
	case f.kind == protoreflect.EnumKind:
		f.enum = enumOf(desc.Enum())
	case f.kind == protoreflect.MessageKind || f.kind == protoreflect.GroupKind:
		f.message = sync.OnceValue(func() *plan { return planOf(desc.Message()) })
	}
	return f
}

// enum holds the short names of an enum.
type enum struct {
	names  map[protoreflect.EnumNumber]string
	values map[string]protoreflect.EnumNumber
	all    []string // without unspecified, in the order of declaration
	// silent: the zero value only says that nothing was chosen.
	silent bool
}

var enums sync.Map // protoreflect.EnumDescriptor → *enum

func enumOf(desc protoreflect.EnumDescriptor) *enum {
	if made, ok := enums.Load(desc); ok {
		if e, ok := made.(*enum); ok {
			return e
		}
	}
	e := &enum{names: map[protoreflect.EnumNumber]string{}, values: map[string]protoreflect.EnumNumber{}}
	prefix := screaming(string(desc.Name())) + "_"
	for i := range desc.Values().Len() {
		value := desc.Values().Get(i)
		full := string(value.Name())
		short := strings.ToLower(strings.TrimPrefix(full, prefix))
		if _, taken := e.names[value.Number()]; !taken {
			e.names[value.Number()] = short
		}
		e.values[short], e.values[full] = value.Number(), value.Number()
		if value.Number() == 0 && short == "unspecified" {
			e.silent = true
		} else {
			e.all = append(e.all, short)
		}
	}
	enums.Store(desc, e)
	return e
}

// screaming turns GoalStatus into GOAL_STATUS.
func screaming(camel string) string {
	var b strings.Builder
	for i, r := range camel {
		if i > 0 && r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// EnumName is an enum value's short name: GOAL_STATUS_IN_PROGRESS is
// "in_progress"; a value that this build doesn't know is its number.
func EnumName(value protoreflect.Enum) string {
	return enumOf(value.Descriptor()).name(value.Number())
}

func (e *enum) name(n protoreflect.EnumNumber) string {
	if name, ok := e.names[n]; ok {
		return name
	}
	return strconv.Itoa(int(n))
}

// EnumNames are the short names of an enum in the order of declaration,
// without its "unspecified".
func EnumNames(desc protoreflect.EnumDescriptor) []string { return enumOf(desc).all }

// ParseEnum finds the value that a short name ("in_progress") or a full one
// ("GOAL_STATUS_IN_PROGRESS") stands for; false when there is none.
func ParseEnum(desc protoreflect.EnumDescriptor, name string) (protoreflect.EnumNumber, bool) {
	n, ok := enumOf(desc).values[name]
	return n, ok
}

// FieldByName finds a message's field by the name or alias it has on the wire;
// nil when there is none.
func FieldByName(desc protoreflect.MessageDescriptor, name string) protoreflect.FieldDescriptor {
	if f, ok := planOf(desc).byName[name]; ok {
		return f.desc
	}
	return nil
}
