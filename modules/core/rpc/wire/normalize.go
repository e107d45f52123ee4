package wire

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Normalize holds a request that came as proto or protojson to what Unmarshal
// asks of wire JSON, where the database would choke on it otherwise: no NUL in
// any string, raw_json compact and an object. It changes msg, and answers with
// *errs.Error of code invalid_argument.
func Normalize(msg proto.Message) error {
	m := msg.ProtoReflect()
	return public(normalize(m, planOf(m.Descriptor())))
}

func normalize(m protoreflect.Message, p *plan) error {
	for _, f := range p.fields {
		if !m.Has(f.desc) || f.value != nil && !f.value.holdsText() || f.value == nil && !f.holdsText() {
			continue
		}
		if err := normalizeField(m, f); err != nil {
			return in(err, f.name)
		}
	}
	return nil
}

func (f *field) holdsText() bool {
	return f.kind == protoreflect.StringKind || f.kind == protoreflect.MessageKind
}

func normalizeField(m protoreflect.Message, f *field) (err error) {
	switch {
	case f.isMap:
		m.Get(f.desc).Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			if strings.IndexByte(k.String(), 0) >= 0 {
				err = holdsNUL()
			} else {
				_, err = normalizeValue(f.value, v)
			}
			return err == nil
		})
		return err
	case f.list:
		list := m.Get(f.desc).List()
		for i := range list.Len() {
			v, err := normalizeValue(f, list.Get(i))
			if err != nil {
				return in(err, index(i))
			}
			if f.raw {
				list.Set(i, v)
			}
		}
		return nil
	default:
		v, err := normalizeValue(f, m.Get(f.desc))
		if err == nil && f.raw {
			m.Set(f.desc, v)
		}
		return err
	}
}

func normalizeValue(f *field, v protoreflect.Value) (protoreflect.Value, error) {
	switch {
	case f.kind == protoreflect.MessageKind:
		return v, normalize(v.Message(), f.message())
	case f.kind != protoreflect.StringKind:
		return v, nil
	case strings.IndexByte(v.String(), 0) >= 0:
		return v, holdsNUL()
	case !f.raw || v.String() == "":
		return v, nil
	}
	text, err := rawObject(v.String())
	return protoreflect.ValueOfString(text), err
}

func holdsNUL() error {
	return &invalid{english: "must not hold a NUL", spanish: "no puede contener un NUL"}
}

func rawObject(text string) (string, error) {
	d := decoder{scanner: scanner{data: []byte(text)}}
	raw, err := d.rawValue()
	if err == nil {
		err = d.end()
	}
	if err != nil {
		return "", &invalid{english: "must be a JSON object", spanish: "debe ser un objeto JSON"}
	}
	return raw, nil
}
