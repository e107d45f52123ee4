package events

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// compareRows compares what a table must hold for a stream with what it holds.
func compareRows(want []map[string]any, have [][]byte) ([]Difference, error) {
	wanted := make([]map[string]any, len(want))
	for i, row := range want {
		wanted[i] = make(map[string]any, len(row))
		for column, value := range row {
			plain, err := canonical(value)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", column, err)
			}
			wanted[i][column] = plain
		}
	}
	var stored []map[string]any
	for _, text := range have {
		row, err := parse(text)
		if err != nil {
			return nil, err
		}
		columns, ok := row.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("a row is no object: %.100s", text)
		}
		// A row that is as it must be has its pair; the others are compared.
		at := slices.IndexFunc(wanted, func(w map[string]any) bool { return reflect.DeepEqual(w, columns) })
		if at >= 0 {
			wanted = slices.Delete(wanted, at, at+1)
			continue
		}
		stored = append(stored, columns)
	}
	var found []Difference
	for len(wanted) > 0 || len(stored) > 0 {
		switch {
		case len(stored) == 0:
			found = append(found, Difference{Problem: "a row is missing", Want: short(wanted[0])})
			wanted = wanted[1:]
		case len(wanted) == 0:
			found = append(found, Difference{Problem: "a row too many", Have: short(stored[0])})
			stored = stored[1:]
		default:
			at := nearest(wanted[0], stored)
			found = append(found, compareColumns(wanted[0], stored[at])...)
			wanted, stored = wanted[1:], slices.Delete(stored, at, at+1)
		}
	}
	return found, nil
}

// nearest is the row that has the most columns in common with the wanted one.
func nearest(want map[string]any, rows []map[string]any) int {
	best, most := 0, -1
	for i, row := range rows {
		same := 0
		for column, value := range want {
			if reflect.DeepEqual(row[column], value) {
				same++
			}
		}
		if same > most {
			best, most = i, same
		}
	}
	return best
}

func compareColumns(want, have map[string]any) (found []Difference) {
	columns := maps.Clone(want)
	maps.Copy(columns, have)
	for _, column := range sortedKeys(columns) {
		w, wanted := want[column]
		h, stored := have[column]
		switch {
		case !wanted:
			found = append(found, Difference{Column: column, Problem: "the fold does not say what it must be", Have: short(h)})
		case !stored:
			found = append(found, Difference{Column: column, Problem: "the table has no such column", Want: short(w)})
		case !reflect.DeepEqual(w, h):
			found = append(found, Difference{Column: column, Problem: "it differs", Want: short(w), Have: short(h)})
		}
	}
	return found
}

// postgresTime is how to_jsonb writes a timestamptz in UTC.
const postgresTime = "2006-01-02T15:04:05.999999-07:00"

// canonical brings a Go value to what parse makes of its to_jsonb.
func canonical(value any) (any, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case time.Time:
		return v.UTC().Format(postgresTime), nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return `\x` + hex.EncodeToString(v), nil
	case json.RawMessage:
		if v == nil {
			return nil, nil
		}
		return parse(v)
	}
	if r := reflect.ValueOf(value); r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return nil, nil
		}
		return canonical(r.Elem().Interface())
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return parse(text)
}

func parse(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("read JSON %.100q: %w", text, err)
	}
	return numbers(value), nil
}

// number is a JSON number in lowest terms, so that 1.50 equals 1.5.
type number string

func numbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		return lowest(v.String())
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return value
}

// lowest leaves numbers as they are that would fill the memory.
func lowest(text string) number {
	_, exponent, ok := strings.Cut(strings.ToLower(text), "e")
	if ok {
		if n, err := strconv.Atoi(exponent); err != nil || n > 400 || n < -400 {
			return number(text)
		}
	}
	if len(text) > 1000 {
		return number(text)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return number(text)
	}
	return number(r.RatString())
}

// MarshalJSON shows the number as it is compared.
func (n number) MarshalJSON() ([]byte, error) {
	if strings.Contains(string(n), "/") {
		if r, ok := new(big.Rat).SetString(string(n)); ok {
			f, _ := r.Float64()
			return json.Marshal(f)
		}
	}
	return []byte(n), nil
}

// short is a value as JSON, cut for reading.
func short(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%.200v", value)
	}
	if len(text) > 200 {
		return strings.ToValidUTF8(string(text[:200]), "") + "…"
	}
	return string(text)
}
