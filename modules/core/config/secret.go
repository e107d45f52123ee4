package config

import (
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Secret is a setting that is never printed.
type Secret string

// Reveal is the value, for the one who needs it.
func (s Secret) Reveal() string { return string(s) }

// String is what prints show instead.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[redacted]"
}

// GoString keeps %#v from showing it.
func (s Secret) GoString() string { return s.String() }

// LogValue keeps slog from showing it.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders from showing it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a setting.
func (s *Secret) UnmarshalText(text []byte) error { *s = Secret(text); return nil }

// samplePrefixes start the values that .env.example and tutorials show.
var samplePrefixes = []string{"shared-secret-key-", "YOUR_", "your_", "changeme", "change-me"}

// RefuseSamples fails when a secret still is a sample's value; for servers that
// do not run in dev mode.
func RefuseSamples(cfg any) error {
	var bad []string
	walkSecrets(reflect.ValueOf(cfg), "", func(key string, s Secret) {
		for _, prefix := range samplePrefixes {
			if strings.HasPrefix(string(s), prefix) {
				bad = append(bad, key)
				return
			}
		}
	})
	if len(bad) == 0 {
		return nil
	}
	return fmt.Errorf("these settings still hold the sample's value, which everybody knows: %s; set secrets of your own (openssl rand -hex 32), or run with TRACKER_SERVER_DEV=true on a machine of your own", strings.Join(bad, ", "))
}

// Redacted lists every setting with its value, secrets and passwords in URLs
// left out, sorted by key as the struct has them.
func Redacted(cfg any) []string {
	var lines []string
	walkValues(reflect.ValueOf(cfg), "", func(key string, v reflect.Value) {
		lines = append(lines, key+" = "+Address(fmt.Sprint(hide("", v.Interface()))))
	})
	return lines
}

// Address is a URL for people to read, also one that can't be parsed: without
// user and password.
func Address(text string) string {
	if at, scheme := strings.LastIndexByte(text, '@'), strings.Index(text, "://"); at > 0 && scheme > 0 && scheme < at {
		return text[:scheme+3] + "[redacted]" + text[at:]
	}
	return text
}

// secretNames are in the names of what is never printed.
var secretNames = []string{"token", "secret", "password", "authorization", "api_key", "apikey", "api-key", "cookie", "credential"}

// SecretName reports whether something of that name is likely to be a secret.
func SecretName(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretNames, func(s string) bool { return strings.Contains(name, s) })
}

// hide leaves out of free-form settings, those of plugins, what is likely to be a
// secret: texts under such names, and all that a plugin sends as headers.
func hide(name string, value any) any {
	switch v := value.(type) {
	case map[string]map[string]any:
		out := map[string]any{}
		for key, settings := range v {
			out[key] = hide(key, settings)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, inner := range v {
			if strings.EqualFold(name, "headers") {
				inner = Secret(fmt.Sprint(inner))
			}
			out[key] = hide(key, inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = hide(name, v[i])
		}
		return out
	case string:
		if SecretName(name) {
			return Secret(v)
		}
	}
	return value
}

func walkSecrets(v reflect.Value, prefix string, visit func(string, Secret)) {
	walkValues(v, prefix, func(key string, v reflect.Value) {
		switch s := v.Interface().(type) {
		case Secret:
			visit(key, s)
		case map[string]Secret:
			for _, name := range slices.Sorted(maps.Keys(s)) {
				visit(key+"."+name, s[name])
			}
		}
	})
}

func walkValues(v reflect.Value, prefix string, visit func(string, reflect.Value)) {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, opts, _ := strings.Cut(field.Tag.Get("koanf"), ",")
		switch {
		case strings.Contains(opts, "squash"):
			walkValues(v.Field(i), prefix, visit)
		case name == "" || name == "-":
		case field.Type.Kind() == reflect.Struct:
			walkValues(v.Field(i), prefix+name+".", visit)
		default:
			visit(prefix+name, v.Field(i))
		}
	}
}
