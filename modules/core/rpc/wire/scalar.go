package wire

import (
	"encoding/base64"
	"math"
	"math/big"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func index(i int) string { return "[" + strconv.Itoa(i) + "]" }

func (d *decoder) scalar(f *field) (protoreflect.Value, error) {
	c := d.peek()
	switch f.kind {
	case protoreflect.StringKind:
		if f.raw {
			text, err := d.rawValue()
			return protoreflect.ValueOfString(text), err
		}
		if c != '"' {
			return protoreflect.Value{}, d.wrong("must be a string", "debe ser un texto")
		}
		text, err := d.str()
		return protoreflect.ValueOfString(text), err
	case protoreflect.BoolKind:
		if d.literal("true") {
			return protoreflect.ValueOfBool(true), nil
		}
		if d.literal("false") {
			return protoreflect.ValueOfBool(false), nil
		}
		return protoreflect.Value{}, d.wrong("must be true or false", "debe ser true o false")
	case protoreflect.EnumKind:
		return d.enumValue(f.enum)
	case protoreflect.BytesKind:
		return d.bytesValue()
	default:
		return d.numeric(f.kind)
	}
}

func (d *decoder) enumValue(e *enum) (protoreflect.Value, error) {
	c := d.peek()
	if d.stored && (c == '-' || c >= '0' && c <= '9') {
		return d.numeric(protoreflect.EnumKind)
	}
	if c != '"' {
		return protoreflect.Value{}, d.wrong("must be one of "+strings.Join(e.all, ", "), "debe ser uno de: "+strings.Join(e.all, ", "))
	}
	name, err := d.str()
	if err != nil {
		return protoreflect.Value{}, err
	}
	n, ok := e.values[name]
	if !ok {
		return protoreflect.Value{}, notAName(name, e.all)
	}
	return protoreflect.ValueOfEnum(n), nil
}

func notAName(name string, all []string) error {
	name = shorten(name)
	list := strings.Join(all, ", ")
	return &invalid{
		english: "must be one of " + list + ", not " + strconv.Quote(name),
		spanish: "debe ser uno de: " + list + "; no " + strconv.Quote(name),
	}
}

func (d *decoder) bytesValue() (protoreflect.Value, error) {
	if d.peek() != '"' {
		return protoreflect.Value{}, d.wrong("must be a base64 string", "debe ser un texto en base64")
	}
	text, err := d.str()
	if err != nil {
		return protoreflect.Value{}, err
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	data, err := encoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return protoreflect.Value{}, &invalid{english: "must be a base64 string", spanish: "debe ser un texto en base64"}
	}
	return protoreflect.ValueOfBytes(data), nil
}

// numeric reads a number; 64-bit integers may also be strings of digits, for
// languages whose numbers are doubles.
func (d *decoder) numeric(kind protoreflect.Kind) (protoreflect.Value, error) {
	c := d.peek()
	var text string
	switch {
	case c == '-' || c >= '0' && c <= '9':
		raw, err := d.number()
		if err != nil {
			return protoreflect.Value{}, err
		}
		text = string(raw)
	case c == '"' && wide(kind):
		quoted, err := d.str()
		if err != nil {
			return protoreflect.Value{}, err
		}
		text = quoted
	default:
		return protoreflect.Value{}, d.wrong("must be a number", "debe ser un número")
	}
	return parseNumber(kind, text)
}

func wide(kind protoreflect.Kind) bool {
	switch kind {
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return true
	default:
		return false
	}
}

func parseNumber(kind protoreflect.Kind, text string) (protoreflect.Value, error) {
	switch kind {
	case protoreflect.DoubleKind:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return protoreflect.Value{}, outOfRange(err)
		}
		return protoreflect.ValueOfFloat64(x), nil
	case protoreflect.FloatKind:
		x, err := strconv.ParseFloat(text, 32)
		if err != nil {
			return protoreflect.Value{}, outOfRange(err)
		}
		return protoreflect.ValueOfFloat32(float32(x)), nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		n, err := strconv.ParseUint(integral(text), 10, 32)
		return protoreflect.ValueOfUint32(uint32(n)), outOfRange(err)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		n, err := strconv.ParseUint(integral(text), 10, 64)
		return protoreflect.ValueOfUint64(n), outOfRange(err)
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		n, err := strconv.ParseInt(integral(text), 10, 64)
		return protoreflect.ValueOfInt64(n), outOfRange(err)
	default:
		n, err := strconv.ParseInt(integral(text), 10, 32)
		if kind == protoreflect.EnumKind {
			return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), outOfRange(err)
		}
		return protoreflect.ValueOfInt32(int32(n)), outOfRange(err)
	}
}

// integral turns 2.0 and 1e3, which some languages write, into 2 and 1000.
func integral(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	if x, err := strconv.ParseFloat(text, 64); err != nil || math.Abs(x) > 1e20 {
		return text
	}
	if r, ok := new(big.Rat).SetString(text); ok && r.IsInt() {
		return r.Num().String()
	}
	return text
}

func outOfRange(err error) error {
	if err == nil {
		return nil
	}
	return &invalid{english: "must be a whole number in range", spanish: "debe ser un número entero dentro de rango"}
}

func mapKey(kind protoreflect.Kind, name string) (protoreflect.MapKey, error) {
	switch kind {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(name).MapKey(), nil
	case protoreflect.BoolKind:
		b, err := strconv.ParseBool(name)
		if err != nil || name != "true" && name != "false" {
			return protoreflect.MapKey{}, &invalid{english: "must be true or false", spanish: "debe ser true o false"}
		}
		return protoreflect.ValueOfBool(b).MapKey(), nil
	default:
		v, err := parseNumber(kind, name)
		if err != nil {
			return protoreflect.MapKey{}, err
		}
		return v.MapKey(), nil
	}
}
