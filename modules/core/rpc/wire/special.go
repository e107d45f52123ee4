package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// TimeLayout is how times are written: RFC 3339 in UTC with microseconds, so
// that they sort as text. Input may have any RFC 3339 form; what is finer than
// microseconds is cut off, as the database would.
const TimeLayout = "2006-01-02T15:04:05.000000Z"

func isSpecial(name protoreflect.FullName) bool {
	if name.Parent() != "google.protobuf" {
		return false
	}
	switch name.Name() {
	case "Timestamp", "Duration", "FieldMask", "Struct", "Value", "ListValue", "Any":
		return true
	default:
		return isWrapper(name)
	}
}

func isWrapper(name protoreflect.FullName) bool {
	return name.Parent() == "google.protobuf" && name.Name() != "Value" && name.Name() != "ListValue" && strings.HasSuffix(string(name.Name()), "Value")
}

var errTime = errors.New("is a time outside the years 1 to 9999")

func appendSpecial(b []byte, m protoreflect.Message, p *plan) ([]byte, error) {
	switch msg := m.Interface().(type) {
	case *timestamppb.Timestamp:
		if !msg.IsValid() {
			return b, errTime
		}
		b = append(b, '"')
		b = msg.AsTime().AppendFormat(b, TimeLayout)
		return append(b, '"'), nil
	case *durationpb.Duration:
		if err := msg.CheckValid(); err != nil {
			return b, err
		}
		return append(append(append(b, '"'), durationText(msg)...), '"'), nil
	case *fieldmaskpb.FieldMask:
		return appendString(b, strings.Join(msg.GetPaths(), ","))
	}
	if isWrapper(p.special) {
		return appendValue(b, p.fields[0], m.Get(p.fields[0].desc))
	}
	text, err := protojson.Marshal(m.Interface())
	if err != nil {
		return b, err
	}
	// protojson varies its spaces on purpose.
	tidy, err := compact(text)
	return append(b, tidy...), err
}

func durationText(d *durationpb.Duration) string {
	sign := ""
	if d.GetSeconds() < 0 || d.GetNanos() < 0 {
		sign = "-"
	}
	text := sign + strings.TrimPrefix(strconv.FormatInt(d.GetSeconds(), 10), "-")
	if nanos := d.GetNanos(); nanos != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%09d", max(nanos, -nanos)), "0")
	}
	return text + "s"
}

func (d *decoder) special(m protoreflect.Message, p *plan) error {
	switch msg := m.Interface().(type) {
	case *timestamppb.Timestamp:
		return d.timestamp(msg)
	case *durationpb.Duration:
		return d.duration(msg)
	case *fieldmaskpb.FieldMask:
		return d.fieldMask(msg)
	}
	if isWrapper(p.special) {
		v, err := d.scalar(p.fields[0])
		if err == nil {
			m.Set(p.fields[0].desc, v)
		}
		return err
	}
	d.peek()
	text, err := d.skip()
	if err != nil {
		return err
	}
	if err := (protojson.UnmarshalOptions{RecursionLimit: MaxDepth, DiscardUnknown: d.stored}).Unmarshal(text, m.Interface()); err != nil {
		return &invalid{english: "has the wrong form", spanish: "no tiene la forma esperada"}
	}
	return nil
}

func (d *decoder) text(english, spanish string) (string, error) {
	if d.peek() != '"' {
		return "", d.wrong(english, spanish)
	}
	return d.str()
}

func (d *decoder) timestamp(msg *timestamppb.Timestamp) error {
	const english, spanish = "must be a time such as 2026-03-01T12:00:00Z", "debe ser una hora como 2026-03-01T12:00:00Z"
	text, err := d.text(english, spanish)
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return &invalid{english: english, spanish: spanish}
	}
	stamp := timestamppb.New(at.Truncate(time.Microsecond))
	if !stamp.IsValid() {
		return &invalid{english: english, spanish: spanish}
	}
	msg.Seconds, msg.Nanos = stamp.GetSeconds(), stamp.GetNanos()
	return nil
}

func (d *decoder) duration(msg *durationpb.Duration) error {
	bad := &invalid{english: `must be a duration such as "1.5s"`, spanish: `debe ser una duración como "1.5s"`}
	text, err := d.text(bad.english, bad.spanish)
	if err != nil {
		return err
	}
	number, ok := strings.CutSuffix(text, "s")
	if !ok || len(number) > 30 || strings.ContainsAny(number, "eE/_+xXpP") {
		return bad
	}
	seconds, ok := new(big.Rat).SetString(number)
	if !ok {
		return bad
	}
	nanos := new(big.Rat).Mul(seconds, big.NewRat(1e9, 1))
	if !nanos.IsInt() {
		return bad
	}
	whole, rest := new(big.Int).QuoRem(nanos.Num(), big.NewInt(1e9), new(big.Int))
	if !whole.IsInt64() {
		return bad
	}
	read := durationpb.Duration{Seconds: whole.Int64(), Nanos: int32(rest.Int64())}
	if !read.IsValid() {
		return bad
	}
	msg.Seconds, msg.Nanos = read.Seconds, read.Nanos
	return nil
}

// fieldMask takes "title,due_at" and ["title", "due_at"].
func (d *decoder) fieldMask(msg *fieldmaskpb.FieldMask) error {
	bad := &invalid{english: `must name fields: "title,due_at"`, spanish: `debe nombrar campos: "title,due_at"`}
	paths, err := d.paths(bad)
	if err != nil {
		return err
	}
	for i, path := range paths {
		path = strings.TrimSpace(path)
		if path == "" || len(path) > 200 || strings.Trim(path, "abcdefghijklmnopqrstuvwxyz0123456789_.") != "" {
			return bad
		}
		paths[i] = path
	}
	msg.Paths = paths
	return nil
}

func (d *decoder) paths(bad *invalid) (paths []string, err error) {
	if d.peek() != '[' {
		text, err := d.text(bad.english, bad.spanish)
		if err != nil || text == "" {
			return nil, err
		}
		return strings.Split(text, ","), nil
	}
	text, err := d.skip()
	if err == nil && json.Unmarshal(text, &paths) != nil {
		err = bad
	}
	return paths, err
}
