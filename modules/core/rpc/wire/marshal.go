package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Marshal writes a message as wire JSON, compact, fields in the order of
// declaration. It fails on what could not be read back: NUL or invalid UTF-8 in
// a string, NaN, raw_json that is not JSON, times outside the years 1 to 9999.
func Marshal(msg proto.Message) ([]byte, error) { return MarshalAppend(nil, msg) }

// MarshalAppend is Marshal to the end of b.
func MarshalAppend(b []byte, msg proto.Message) ([]byte, error) {
	m := msg.ProtoReflect()
	return appendMessage(b, m, planOf(m.Descriptor()))
}

func appendMessage(b []byte, m protoreflect.Message, p *plan) ([]byte, error) {
	if p.special != "" {
		return appendSpecial(b, m, p)
	}
	b = append(b, '{')
	start := len(b)
	for _, f := range p.fields {
		if f.optional && !m.Has(f.desc) {
			continue
		}
		v := m.Get(f.desc)
		if !f.optional && !f.list && !f.isMap {
			if f.raw && v.String() == "" || f.enum != nil && f.enum.silent && v.Enum() == 0 {
				continue
			}
		}
		if p.mask != nil && !m.Has(f.desc) {
			continue // an empty list that is shown would be one to clear
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(b, f.key...)
		var err error
		if b, err = appendField(b, f, v); err != nil {
			return b, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return append(b, '}'), nil
}

func appendField(b []byte, f *field, v protoreflect.Value) (_ []byte, err error) {
	switch {
	case f.isMap:
		return appendMap(b, f, v.Map())
	case f.list:
		list := v.List()
		b = append(b, '[')
		for i := range list.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendValue(b, f, list.Get(i)); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	default:
		return appendValue(b, f, v)
	}
}

func appendMap(b []byte, f *field, values protoreflect.Map) (_ []byte, err error) {
	keys := make([]protoreflect.MapKey, 0, values.Len())
	values.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k)
		return true
	})
	// In one order, so that equal messages are equal bytes.
	slices.SortFunc(keys, func(x, y protoreflect.MapKey) int {
		if a, b := x.String(), y.String(); a < b {
			return -1
		} else if a > b {
			return 1
		}
		return 0
	})
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendString(b, k.String()); err != nil {
			return b, err
		}
		b = append(b, ':')
		if b, err = appendValue(b, f.value, values.Get(k)); err != nil {
			return b, fmt.Errorf("%s: %w", k.String(), err)
		}
	}
	return append(b, '}'), nil
}

var (
	errNaN      = errors.New("NaN and infinities have no JSON")
	errNUL      = errors.New("holds a NUL")
	errNotUTF8  = errors.New("is not UTF-8")
	errGroup    = errors.New("groups have no wire form")
	errRawValue = errors.New("is marked raw_json and holds no JSON")
)

func appendValue(b []byte, f *field, v protoreflect.Value) ([]byte, error) {
	switch f.kind {
	case protoreflect.StringKind:
		if f.raw {
			return appendRaw(b, v.String())
		}
		return appendString(b, v.String())
	case protoreflect.BoolKind:
		return strconv.AppendBool(b, v.Bool()), nil
	case protoreflect.EnumKind:
		if name, ok := f.enum.names[v.Enum()]; ok {
			return append(append(append(b, '"'), name...), '"'), nil
		}
		return strconv.AppendInt(b, int64(v.Enum()), 10), nil
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind,
		protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return strconv.AppendUint(b, v.Uint(), 10), nil
	case protoreflect.DoubleKind:
		return appendFloat(b, v.Float(), 64)
	case protoreflect.FloatKind:
		return appendFloat(b, v.Float(), 32)
	case protoreflect.BytesKind:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes())
		return append(b, '"'), nil
	case protoreflect.MessageKind:
		return appendMessage(b, v.Message(), f.message())
	default:
		return b, errGroup
	}
}

func appendFloat(b []byte, x float64, bits int) ([]byte, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return b, errNaN
	}
	format := byte('f')
	if abs := math.Abs(x); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, x, format, -1, bits), nil
}

// appendRaw inlines JSON after it was looked through: one broken value must
// not break the answer around it.
func appendRaw(b []byte, text string) ([]byte, error) {
	if text == "" {
		return append(b, "null"...), nil
	}
	if !utf8.ValidString(text) {
		return b, errNotUTF8
	}
	s := scanner{data: []byte(text)}
	if _, err := s.skip(); err != nil {
		return b, fmt.Errorf("%w: %w", errRawValue, err)
	}
	if err := s.end(); err != nil {
		return b, fmt.Errorf("%w: %w", errRawValue, err)
	}
	return append(b, text...), nil
}

const hexDigits = "0123456789abcdef"

func appendString(b []byte, s string) ([]byte, error) {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				return b, errNotUTF8
			}
			i += n
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case 0:
			return b, errNUL
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"'), nil
}
