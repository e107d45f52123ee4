package wire

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// Options change how input is read. The zero Options are those of Unmarshal.
type Options struct {
	// Stored reads what this system wrote, perhaps with a newer or older
	// version of a message: unknown names are left out, enum values may be
	// numbers, raw_json may be any JSON value, and null never fills update_mask.
	Stored bool
}

// Unmarshal reads a request's wire JSON into msg, whose former content is lost.
// Its errors are *errs.Error of code invalid_argument that name the field.
func Unmarshal(data []byte, msg proto.Message) error { return Options{}.Unmarshal(data, msg) }

// UnmarshalStored is Unmarshal with Options{Stored: true}: for event payloads.
func UnmarshalStored(data []byte, msg proto.Message) error {
	return Options{Stored: true}.Unmarshal(data, msg)
}

// Unmarshal reads wire JSON into msg, whose former content is lost.
func (o Options) Unmarshal(data []byte, msg proto.Message) error {
	proto.Reset(msg)
	d := decoder{scanner: scanner{data: data}, stored: o.Stored}
	return public(d.whole(msg.ProtoReflect()))
}

type decoder struct {
	scanner
	stored bool
}

func (d *decoder) whole(m protoreflect.Message) error {
	if !utf8.Valid(d.data) {
		return d.fail("it is not UTF-8", "no es UTF-8")
	}
	if d.peek() == 0 && d.pos >= len(d.data) {
		return d.fail("it is empty", "está vacía")
	}
	if err := d.message(m, planOf(m.Descriptor())); err != nil {
		return err
	}
	return d.end()
}

// wrong is a value of another form than the field's.
func (d *decoder) wrong(english, spanish string) error {
	if _, err := d.skip(); err != nil {
		return err // what isn't JSON at all is said first
	}
	return &invalid{english: english, spanish: spanish}
}

func (d *decoder) message(m protoreflect.Message, p *plan) error {
	if p.special != "" {
		return d.special(m, p)
	}
	if d.peek() != '{' {
		return d.wrong("must be an object", "debe ser un objeto")
	}
	if err := d.open(); err != nil {
		return err
	}
	var seen seenFields
	for first := true; ; first = false {
		more, err := d.next(first, '}')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		name, err := d.key()
		if err != nil {
			return err
		}
		if err := d.member(m, p, name, &seen); err != nil {
			return err
		}
	}
	if p.mask != nil && !d.stored {
		seen.fillMask(m, p)
	}
	return nil
}

// member reads the value of one name of an object.
func (d *decoder) member(m protoreflect.Message, p *plan, name string, seen *seenFields) error {
	f, ok := p.byName[name]
	if !ok {
		if _, err := d.skip(); err != nil || d.stored {
			return err
		}
		return &invalid{path: shorten(name), english: "is not a field of this request", spanish: "no es un campo de esta petición"}
	}
	if !seen.add(f) {
		return &invalid{path: name, english: "is given twice", spanish: "está dos veces"}
	}
	if d.peek() == 'n' && !f.takesNull() {
		if !d.literal("null") {
			return d.failHere()
		}
		seen.null(f)
		return nil
	}
	if oneof := f.desc.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() && m.WhichOneof(oneof) != nil {
		return in(d.wrong("can't be given together with "+string(m.WhichOneof(oneof).Name()),
			"no puede darse junto con "+string(m.WhichOneof(oneof).Name())), name)
	}
	if err := d.field(m, f); err != nil {
		return in(err, name)
	}
	if !f.optional && !m.Has(f.desc) {
		seen.needMask = true // sent, but the message can't tell
	}
	return nil
}

// takesNull: for google.protobuf.Value null is a value.
func (f *field) takesNull() bool {
	return f.kind == protoreflect.MessageKind && !f.list && !f.isMap && f.desc.Message().FullName() == "google.protobuf.Value"
}

func (d *decoder) field(m protoreflect.Message, f *field) error {
	switch {
	case f.isMap:
		return d.mapField(m.Mutable(f.desc).Map(), f)
	case f.list:
		return d.listField(m.Mutable(f.desc).List(), f)
	case f.kind == protoreflect.MessageKind:
		return d.message(m.Mutable(f.desc).Message(), f.message())
	default:
		v, err := d.scalar(f)
		if err == nil {
			m.Set(f.desc, v)
		}
		return err
	}
}

func (d *decoder) listField(list protoreflect.List, f *field) error {
	if d.peek() != '[' {
		return d.wrong("must be a list", "debe ser una lista")
	}
	if err := d.open(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := d.next(i == 0, ']')
		if err != nil || !more {
			return err
		}
		d.peek()
		if f.kind == protoreflect.MessageKind {
			err = d.message(list.AppendMutable().Message(), f.message())
		} else {
			var v protoreflect.Value
			if v, err = d.scalar(f); err == nil {
				list.Append(v)
			}
		}
		if err != nil {
			return in(err, index(i))
		}
	}
}

func (d *decoder) mapField(values protoreflect.Map, f *field) error {
	if d.peek() != '{' {
		return d.wrong("must be an object", "debe ser un objeto")
	}
	if err := d.open(); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := d.next(first, '}')
		if err != nil || !more {
			return err
		}
		name, err := d.key()
		if err != nil {
			return err
		}
		key, err := mapKey(f.mapKey.Kind(), name)
		if err != nil {
			return in(err, shorten(name))
		}
		if values.Has(key) {
			return &invalid{path: shorten(name), english: "is given twice", spanish: "está dos veces"}
		}
		d.peek()
		if f.value.kind == protoreflect.MessageKind {
			v := values.NewValue()
			if err = d.message(v.Message(), f.value.message()); err == nil {
				values.Set(key, v)
			}
		} else {
			var v protoreflect.Value
			if v, err = d.scalar(f.value); err == nil {
				values.Set(key, v)
			}
		}
		if err != nil {
			return in(err, shorten(name))
		}
	}
}

// shorten keeps names that a caller made up from filling the error.
func shorten(name string) string {
	const most = 80
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// rawValue reads JSON that a string field holds as it is.
func (d *decoder) rawValue() (string, error) {
	if d.peek() != '{' && !d.stored {
		return "", d.wrong("must be a JSON object", "debe ser un objeto JSON")
	}
	text, err := d.skip()
	if err != nil {
		return "", err
	}
	return compact(text)
}

func compact(text []byte) (string, error) {
	var b bytes.Buffer
	b.Grow(len(text))
	if err := json.Compact(&b, text); err != nil {
		return "", err
	}
	return b.String(), nil
}

// seenFields remembers which fields an object gave.
type seenFields struct {
	order []*field
	nulls []*field
	few   uint64
	many  map[int]bool
	// needMask: something was sent that only update_mask can express.
	needMask bool
}

func (s *seenFields) add(f *field) bool {
	if f.index < 64 {
		bit := uint64(1) << f.index
		if s.few&bit != 0 {
			return false
		}
		s.few |= bit
	} else {
		if s.many[f.index] {
			return false
		}
		if s.many == nil {
			s.many = map[int]bool{}
		}
		s.many[f.index] = true
	}
	s.order = append(s.order, f)
	return true
}

func (s *seenFields) null(f *field) {
	if !f.control {
		s.nulls = append(s.nulls, f)
		s.needMask = true
	}
}

// fillMask says in update_mask what presence alone can't say.
func (s *seenFields) fillMask(m protoreflect.Message, p *plan) {
	given := m.Has(p.mask.desc)
	if !given && !s.needMask || given && len(s.nulls) == 0 {
		return
	}
	mask, ok := m.Mutable(p.mask.desc).Message().Interface().(*fieldmaskpb.FieldMask)
	if !ok {
		return
	}
	add := s.order
	if given {
		add = s.nulls
	}
	for _, f := range add {
		if !f.control && !slices.Contains(mask.Paths, f.name) {
			mask.Paths = append(mask.Paths, f.name)
		}
	}
}
