package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
)

// checkNumbers refuses numbers that no setting can mean. None is negative or no
// number at all, but where a field's least tag ("-1") says so; and what the
// server would stop or spin at is not 0, where the tag is "1".
func checkNumbers(v reflect.Value, prefix string) error {
	var problems []error
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, opts, _ := strings.Cut(field.Tag.Get("koanf"), ",")
		value, key := v.Field(i), prefix+name
		switch {
		case strings.Contains(opts, "squash"):
			problems = append(problems, checkNumbers(value, prefix))
			continue
		case name == "" || name == "-":
			continue
		case field.Type.Kind() == reflect.Struct:
			problems = append(problems, checkNumbers(value, key+"."))
			continue
		}
		if why := noNumber(value, field.Tag.Get("least")); why != "" {
			problems = append(problems, fmt.Errorf("%s is %v: %s", key, value.Interface(), why))
		}
	}
	return errors.Join(problems...)
}

// noNumber says what is wrong with a value; "" for nothing, also of what is no
// number.
func noNumber(value reflect.Value, least string) string {
	var n float64
	switch {
	case value.CanInt():
		n = float64(value.Int())
	case value.CanUint():
		n = float64(value.Uint())
	case value.CanFloat():
		n = value.Float()
	default:
		return ""
	}
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		return "it must be a number"
	case least == "" && n < 0:
		return "it can't be negative"
	case least == "1" && n < 1:
		return "it must be more than 0"
	case least == "-1" && n < -1:
		return "it must be -1 or more"
	}
	return ""
}

// misread says in words of settings what the decoder could not take. Only plain
// values are quoted: others may hold secrets.
func misread(err error, keys *keySet, value func(key string) any) error {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		all := slices.Clone(list.Unwrap())
		for i, e := range all {
			all[i] = misread(e, keys, value)
		}
		return errors.Join(all...)
	}
	var at *mapstructure.DecodeError
	if !errors.As(err, &at) {
		if below := errors.Unwrap(err); below != nil {
			return misread(below, keys, value)
		}
		return err
	}
	t, known := keys.keys[at.Name()]
	if !known {
		return fmt.Errorf("%s: %w", at.Name(), at.Unwrap())
	}
	var wants string
	switch kind := t.Kind(); {
	case t == reflect.TypeFor[time.Duration]():
		wants = "write a duration, such as 30s, 5m or 24h"
	case kind == reflect.Bool:
		wants = "write true or false"
	case kind >= reflect.Int && kind <= reflect.Uint64:
		wants = "write a whole number"
	case kind == reflect.Float32 || kind == reflect.Float64:
		wants = "write a number"
	case kind == reflect.Map:
		return fmt.Errorf("%s holds names and their values: write it in the settings file, one a line", at.Name())
	default:
		return fmt.Errorf("%s: %w", at.Name(), at.Unwrap())
	}
	return fmt.Errorf("%s is %q: %s", at.Name(), fmt.Sprint(value(at.Name())), wants)
}
