package config

import (
	"fmt"
	"reflect"
	"strings"
)

// keySet is what a settings struct declares.
type keySet struct {
	keys map[string]reflect.Type
	// byEnv maps a variable's name to its key.
	byEnv map[string]string
	// foreign are TRACKER_ variables that other programs of ours read.
	foreign map[string]bool
}

func describe(into any) (*keySet, error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("settings go into a pointer to a struct, not %T", into)
	}
	s := &keySet{keys: map[string]reflect.Type{}, byEnv: map[string]string{}, foreign: map[string]bool{
		"TRACKER_CONFIG":      true,
		"TRACKER_BIN":         true,
		"TRACKER_SDK":         true,
		"TRACKER_EVAL":        true,
		"TRACKER_CHAOS":       true,
		"TRACKER_IMPORT_FROM": true,
	}}
	s.walk(v.Elem().Type(), "")
	return s, nil
}

// ofTests reports whether a variable is for tests and evaluations.
func ofTests(name string) bool {
	return strings.HasPrefix(name, Prefix+"TEST_") || strings.HasPrefix(name, Prefix+"EVAL_")
}

func (s *keySet) walk(t reflect.Type, prefix string) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, opts, _ := strings.Cut(field.Tag.Get("koanf"), ",")
		if strings.Contains(opts, "squash") {
			s.walk(field.Type, prefix)
			continue
		}
		if name == "" || name == "-" {
			continue
		}
		key := prefix + name
		if env := field.Tag.Get("env"); env != "" {
			s.byEnv[env] = key
		}
		if field.Type.Kind() == reflect.Struct {
			s.walk(field.Type, key+".")
			continue
		}
		s.keys[key] = field.Type
		s.byEnv[Prefix+strings.ToUpper(strings.ReplaceAll(key, ".", "_"))] = key
	}
}

// known reports whether the key, or the map or list it lies in, is declared.
func (s *keySet) known(key string) bool {
	for k := key; k != ""; {
		if t, ok := s.keys[k]; ok {
			return k == key || t.Kind() == reflect.Map || t.Kind() == reflect.Slice
		}
		cut := strings.LastIndexByte(k, '.')
		if cut < 0 {
			return false
		}
		k = k[:cut]
	}
	return false
}

// suggest names the declared setting that looks most like what was written.
func (s *keySet) suggest(written string) string {
	best, bestDistance := "", 4
	consider := func(candidate string) {
		if d := distance(strings.ToLower(written), strings.ToLower(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	for key := range s.keys {
		consider(key)
	}
	for env := range s.byEnv {
		consider(env)
	}
	if best == "" {
		return "; configs/tracker.yaml lists them all"
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		previous := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := previous
			if a[i-1] != b[j-1] {
				cost++
			}
			previous = row[j]
			row[j] = min(row[j]+1, row[j-1]+1, cost)
		}
	}
	return row[len(b)]
}
