package events

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func differences(t *testing.T, want map[string]any, have string) []Difference {
	t.Helper()
	found, err := compareRows([]map[string]any{want}, [][]byte{[]byte(have)})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestValuesThatPostgresWritesOtherwiseAreEqual(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 120000000, time.FixedZone("x", 3600))
	hours := 1.5
	for _, c := range []struct {
		want any
		have string
		same bool
	}{
		{at, `"2026-01-02T02:04:05.12+00:00"`, true},
		{&at, `"2026-01-02T02:04:05.12+00:00"`, true},
		{at, `"2026-01-02T02:04:05.120001+00:00"`, false},
		{hours, `1.50`, true},
		{&hours, `1.51`, false},
		{(*float64)(nil), `null`, true},
		{(*float64)(nil), `0`, false},
		{int64(9007199254740993), `9007199254740993`, true},
		{int64(9007199254740993), `9007199254740992`, false},
		{json.RawMessage(`{"a": 1e2, "b": [1.0]}`), `{"b": [1], "a": 100}`, true},
		{json.RawMessage(`{"a": "1"}`), `{"a": 1}`, false},
		{json.RawMessage(`1e999999999`), `1e999999999`, true},
		{[]byte{0, 255}, `"\\x00ff"`, true},
		{[]string(nil), `[]`, false},
		{[]string{}, `[]`, true},
		{"", `null`, false},
		{nil, `null`, true},
	} {
		found := differences(t, map[string]any{"c": c.want}, `{"c": `+c.have+`}`)
		if same := len(found) == 0; same != c.same {
			t.Errorf("%v and %s: equal is %t, want %t", c.want, c.have, same, c.same)
		}
	}
	if found := differences(t, map[string]any{"a": 1}, `{"b": 1}`); len(found) != 2 {
		t.Errorf("columns on one side only: %v", found)
	}
}

// Rows are a bag: their order does not matter, their number does.
func TestRowsAreComparedWhateverTheirOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 8).Draw(rt, "rows")
		shuffled := rapid.Permutation(values).Draw(rt, "stored")
		row := func(n int) (map[string]any, []byte) {
			text, err := json.Marshal(map[string]int{"n": n})
			if err != nil {
				rt.Fatal(err)
			}
			return map[string]any{"n": n}, text
		}
		want := make([]map[string]any, 0, len(values))
		have := make([][]byte, 0, len(values))
		for i := range values {
			w, _ := row(values[i])
			_, h := row(shuffled[i])
			want, have = append(want, w), append(have, h)
		}
		if found, err := compareRows(want, have); err != nil || len(found) > 0 {
			rt.Fatalf("%v %v", found, err)
		}
		if found, err := compareRows(want, have[1:]); err != nil || len(found) != 1 {
			rt.Fatalf("without one row: %v %v", found, err)
		}
		_, other := row(9)
		have[0] = other
		if found, err := compareRows(want, have); err != nil || len(found) != 1 || found[0].Column != "n" {
			rt.Fatalf("with another row: %v %v", found, err)
		}
	})
}
