package validator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// schemaOf derives the JSON Schema of an options struct; "" for nil.
func schemaOf(prototype any) (string, error) {
	if prototype == nil {
		return "", nil
	}
	v := reflect.ValueOf(prototype)
	if v.Kind() != reflect.Struct {
		return "", fmt.Errorf("options must be a struct, not %T", prototype)
	}
	s, err := structSchema(v)
	if err != nil {
		return "", err
	}
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	b, err := json.Marshal(s)
	return string(b), err
}

func structSchema(v reflect.Value) (map[string]any, error) {
	props := map[string]any{}
	for name, f := range fields(v.Type()) {
		field := v.FieldByIndex(f.Index)
		s, err := valueSchema(field)
		if err != nil {
			return nil, fmt.Errorf("options field %s: %w", f.Name, err)
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			s["description"] = doc
		}
		if enum := f.Tag.Get("enum"); enum != "" {
			if f.Type.Kind() != reflect.String {
				return nil, fmt.Errorf("options field %s: enum is for strings", f.Name)
			}
			s["enum"] = strings.Split(enum, ",")
			if !slices.Contains(strings.Split(enum, ","), field.String()) {
				return nil, fmt.Errorf("options field %s: its default %q is not in %s", f.Name, field.String(), enum)
			}
		}
		if f.Type.Kind() != reflect.Struct && !field.IsZero() {
			s["default"] = field.Interface()
		}
		props[name] = s
	}
	return map[string]any{"type": "object", "properties": props, "additionalProperties": false}, nil
}

func valueSchema(v reflect.Value) (map[string]any, error) {
	switch t := v.Type(); t.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}, nil
	case reflect.Bool:
		return map[string]any{"type": "boolean"}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return map[string]any{"type": "integer"}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}, nil
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}, nil
	case reflect.Slice:
		items, err := valueSchema(reflect.New(t.Elem()).Elem())
		return map[string]any{"type": "array", "items": items}, err
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return nil, fmt.Errorf("a map needs string keys, not %s", t.Key())
		}
		values, err := valueSchema(reflect.New(t.Elem()).Elem())
		return map[string]any{"type": "object", "additionalProperties": values}, err
	case reflect.Struct:
		return structSchema(v)
	default:
		return nil, fmt.Errorf("%s is no type for an option", t)
	}
}

// fields returns the options of a struct by the name they have in JSON.
func fields(t reflect.Type) map[string]reflect.StructField {
	out := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch name {
		case "-":
			continue
		case "":
			name = f.Name
		}
		out[name] = f
	}
	return out
}

// decodeOptions returns a copy of the prototype with the task's options
// decoded into it.
func decodeOptions(prototype any, raw []byte) (any, error) {
	raw = bytes.TrimSpace(raw)
	if prototype == nil {
		if len(raw) > 0 && !bytes.Equal(raw, []byte("{}")) {
			return nil, errors.New("this plugin takes no options, so the task must not set any")
		}
		return nil, nil
	}
	v := reflect.New(reflect.TypeOf(prototype))
	v.Elem().Set(reflect.ValueOf(prototype))
	if len(raw) == 0 {
		return v.Elem().Interface(), nil
	}
	// A fresh decode keeps the prototype's slices and maps out of the copy.
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	known := make([]string, 0)
	for name, f := range fields(v.Elem().Type()) {
		known = append(known, name)
		if k := f.Type.Kind(); k == reflect.Slice || k == reflect.Map {
			if strings.Contains(string(raw), `"`+name+`"`) {
				v.Elem().FieldByIndex(f.Index).SetZero()
			}
		}
	}
	slices.Sort(known)
	if raw[0] != '{' {
		return nil, errors.New("they must be a JSON object")
	}
	if err := dec.Decode(v.Interface()); err != nil {
		return nil, fmt.Errorf("%w; known options: %s", err, strings.Join(known, ", "))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text after the JSON object")
	}
	for name, f := range fields(v.Elem().Type()) {
		enum := f.Tag.Get("enum")
		if enum == "" {
			continue
		}
		if got := v.Elem().FieldByIndex(f.Index).String(); !slices.Contains(strings.Split(enum, ","), got) {
			return nil, fmt.Errorf("%s is %q; it must be one of %s", name, got, enum)
		}
	}
	return v.Elem().Interface(), nil
}
