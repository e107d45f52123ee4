package wire

import (
	"errors"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Parameter reads the values of one query parameter for a request type. It
// gives the field's own name and the values as standard JSON mapping writes
// them ("GOAL_STATUS_PENDING"), strings without quotes. A list's values may be
// repeated (?status=pending&status=blocked); those of an enum may also stand
// together (?status=pending,blocked). Errors name the parameter.
func Parameter(desc protoreflect.MessageDescriptor, name string, values []string) (string, []string, error) {
	f, ok := planOf(desc).byName[name]
	if !ok || f.isMap || f.kind == protoreflect.MessageKind && !f.scalarMessage() {
		return "", nil, FieldError(shorten(name), "is not a parameter of this address", "no es un parámetro de esta dirección")
	}
	if f.list && f.enum != nil {
		values = strings.Split(strings.Join(values, ","), ",")
	}
	if !f.list && len(values) > 1 {
		return "", nil, FieldError(name, "is given twice", "está dos veces")
	}
	out := make([]string, len(values))
	for i, text := range values {
		canonical, err := f.parameter(text)
		if err != nil {
			return "", nil, public(in(err, name))
		}
		out[i] = canonical
	}
	return f.name, out, nil
}

// scalarMessage: a message type that is written as one value.
func (f *field) scalarMessage() bool {
	switch f.desc.Message().FullName() {
	case "google.protobuf.Timestamp", "google.protobuf.Duration":
		return true
	default:
		return false
	}
}

func (f *field) parameter(text string) (string, error) {
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		return "", &invalid{english: "must be UTF-8 text without NUL", spanish: "debe ser texto UTF-8 sin NUL"}
	}
	switch f.kind {
	case protoreflect.StringKind:
		return text, nil
	case protoreflect.EnumKind:
		n, ok := f.enum.values[text]
		if !ok {
			return "", notAName(text, f.enum.all)
		}
		return string(f.desc.Enum().Values().ByNumber(n).Name()), nil
	case protoreflect.BytesKind, protoreflect.MessageKind:
		return text, f.readable(appendQuoted(text))
	default:
		return text, f.readable([]byte(text))
	}
}

func appendQuoted(text string) []byte {
	quoted, err := appendString(nil, text)
	if err != nil {
		return nil // not UTF-8, which was looked at before
	}
	return quoted
}

// readable fails when a value of JSON is not one of the field's.
func (f *field) readable(text []byte) error {
	d := decoder{scanner: scanner{data: text}}
	var err error
	if f.kind == protoreflect.MessageKind {
		mt, unknown := protoregistry.GlobalTypes.FindMessageByName(f.desc.Message().FullName())
		if unknown != nil {
			return unknown
		}
		err = d.message(mt.New(), f.message())
	} else {
		_, err = d.scalar(f)
	}
	if err == nil {
		err = d.end()
	}
	var bare *malformed
	switch {
	case !errors.As(err, &bare):
		return err
	case f.kind == protoreflect.BoolKind:
		return &invalid{english: "must be true or false", spanish: "debe ser true o false"}
	default:
		return &invalid{english: "must be a number", spanish: "debe ser un número"}
	}
}
