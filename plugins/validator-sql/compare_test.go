package main

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/goals-tracker/tracker/sdk/validator"
)

func rowsOf(cells ...string) *table {
	t := &table{Columns: []string{"a"}}
	for _, c := range cells {
		kind := byte('n')
		if !number(c) {
			kind = 's'
		}
		t.Rows = append(t.Rows, []cell{{kind: kind, text: c}})
	}
	return t
}

func TestResultsAreMultisetsUnlessTheyAreOrdered(t *testing.T) {
	gen := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "2.5", "x", "y", "1000000"}), 0, 12)
	rapid.Check(t, func(t *rapid.T) {
		rows := gen.Draw(t, "rows")
		other := rapid.Permutation(rows).Draw(t, "permuted")
		if d := (&comparison{}).compare(rowsOf(rows...), rowsOf(other...)); d.kind != "" {
			t.Fatalf("%v and %v differ by %s", rows, other, d.kind)
		}
		same := true
		for i := range rows {
			same = same && rows[i] == other[i]
		}
		if d := (&comparison{ordered: true}).compare(rowsOf(rows...), rowsOf(other...)); (d.kind == "") != same {
			t.Fatalf("ordered, %v and %v: %q", rows, other, d.kind)
		}
		extra := append(other, rapid.SampledFrom([]string{"1", "x", "7"}).Draw(t, "extra"))
		if d := (&comparison{}).compare(rowsOf(rows...), rowsOf(extra...)); d.kind != "rows" || len(d.extra) != 1 || len(d.missing) != 0 {
			t.Fatalf("%v and %v: %+v", rows, extra, d)
		}
	})
}

func TestNumbersAreComparedAsNumbersAndTextsAsTexts(t *testing.T) {
	c := &comparison{}
	for _, x := range []struct {
		want, got cell
		same      bool
	}{
		{cell{'n', "2"}, cell{'n', "2.0"}, true},
		{cell{'n', "0.3"}, cell{'n', "0.30000000000000004"}, true},
		{cell{'n', "9007199254740993"}, cell{'n', "9007199254740992"}, false},
		{cell{'n', "1.10"}, cell{'n', "1.1"}, true},
		{cell{'n', "nan"}, cell{'n', "nan"}, true},
		{cell{'n', "inf"}, cell{'n', "1e308"}, false},
		{cell{'s', "2"}, cell{'n', "2"}, false},
		{cell{}, cell{'s', ""}, false},
		{cell{'l', "NULL"}, cell{}, true},
		{cell{'l', "NULL"}, cell{'s', "NULL"}, false},
		{cell{'l', "'NULL'"}, cell{'s', "NULL"}, true},
		{cell{'l', ""}, cell{'s', ""}, true},
		{cell{'l', "''"}, cell{'s', ""}, true},
		{cell{'l', "t"}, cell{'t', "true"}, true},
		{cell{'l', "1.0"}, cell{'n', "1"}, true},
	} {
		if got := c.same(x.want, x.got); got != x.same {
			t.Errorf("%c%q and %c%q: %v", x.want.kind, x.want.text, x.got.kind, x.got.text, got)
		}
	}
}

func FuzzTestFile(f *testing.F) {
	f.Add("-- test: a\n-- expect:\n-- | a |\n-- |---|\n-- | 1 |\n-- check:\nSELECT 1;\n")
	f.Fuzz(func(t *testing.T, content string) {
		file := fileOf("a.test.sql", content)
		tests, err := readTests(file, nil, options{Dialect: "sqlite", Order: "auto"})
		if err != nil {
			return
		}
		for _, x := range tests {
			if x.name == "" {
				t.Fatalf("%+v", x)
			}
			if x.expected != nil {
				draw(x.expected.columns, x.expected.asTable(&table{}).Rows)
			}
		}
	})
}

func fileOf(name, content string) validator.File {
	return validator.File{Path: name, Content: []byte(content)}
}
