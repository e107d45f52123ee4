package main

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// difference is how a result is not what was expected.
type difference struct {
	kind    string // "columns", "names", "rows", "order", "" for none
	missing [][]cell
	extra   [][]cell
	row     int // of "order", from 1
}

// comparison is how two results are compared.
type comparison struct {
	names     bool
	ordered   bool
	keys      []int // columns that decide the order; nil: each row has its place
	tolerance float64
}

// compare says how a result differs from what is expected. Cells of a literal
// table are texts, which fit numbers and NULL too.
func (c *comparison) compare(want, got *table) difference {
	switch {
	case len(want.Columns) != len(got.Columns):
		return difference{kind: "columns"}
	case c.names && !sameNames(want.Columns, got.Columns):
		return difference{kind: "names"}
	}
	missing, extra := c.unmatched(want.Rows, got.Rows)
	if len(missing)+len(extra) > 0 {
		return difference{kind: "rows", missing: missing, extra: extra}
	}
	if c.ordered {
		if row := c.misplaced(want.Rows, got.Rows); row > 0 {
			return difference{kind: "order", row: row}
		}
	}
	return difference{}
}

// sameNames compares names as databases do, without case; what an expression
// without a name is called is left to the database.
func sameNames(want, got []string) bool {
	for i := range want {
		if !strings.EqualFold(want[i], got[i]) && named(want[i]) {
			return false
		}
	}
	return true
}

func named(column string) bool { return column != "" && !strings.ContainsAny(column, "()+-*/|?'. ") }

// unmatched returns the rows that only one side has, each as often as it is
// there once more.
func (c *comparison) unmatched(want, got [][]cell) (missing, extra [][]cell) {
	byKey := map[string][]int{}
	for i, row := range want {
		k := key(row)
		byKey[k] = append(byKey[k], i)
	}
	used := make([]bool, len(want))
	for _, row := range got {
		k := key(row)
		if left := byKey[k]; len(left) > 0 {
			used[left[0]], byKey[k] = true, left[1:]
			continue
		}
		extra = append(extra, row)
	}
	for i, row := range want {
		if !used[i] {
			missing = append(missing, row)
		}
	}
	return c.pair(missing, extra)
}

// pairs bounds what is compared row by row.
const pairs = 2000

// pair takes out rows that fit without being equal: numbers that are close, and
// texts of a literal table.
func (c *comparison) pair(missing, extra [][]cell) (m, e [][]cell) {
	if len(missing) > pairs || len(extra) > pairs {
		return missing, extra
	}
	gone := make([]bool, len(extra))
	for _, row := range missing {
		fits := -1
		for i, other := range extra {
			if !gone[i] && c.sameRow(row, other) {
				fits = i
				break
			}
		}
		if fits < 0 {
			m = append(m, row)
			continue
		}
		gone[fits] = true
	}
	for i, row := range extra {
		if !gone[i] {
			e = append(e, row)
		}
	}
	return m, e
}

// misplaced returns the first row that is not where it belongs, from 1, or 0.
// Rows whose keys are equal may change places.
func (c *comparison) misplaced(want, got [][]cell) int {
	for i := range want {
		if c.keys == nil {
			if !c.sameRow(want[i], got[i]) {
				return i + 1
			}
			continue
		}
		for _, k := range c.keys {
			if k < len(want[i]) && !c.same(want[i][k], got[i][k]) {
				return i + 1
			}
		}
	}
	return 0
}

func (c *comparison) sameRow(want, got []cell) bool {
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if !c.same(want[i], got[i]) {
			return false
		}
	}
	return true
}

// same compares a value with an expected one, which may be the text of a
// literal table (kind l).
func (c *comparison) same(want, got cell) bool {
	if want == got {
		return true
	}
	if want.kind == 'l' {
		return c.fits(want.text, got)
	}
	if want.kind == 'n' && got.kind == 'n' {
		return c.close(want.text, got.text)
	}
	return false
}

// fits says whether a value is what a table's author wrote for it.
func (c *comparison) fits(want string, got cell) bool {
	null := strings.EqualFold(want, "NULL")
	switch got.kind {
	case 0:
		return null
	case 'n':
		return c.close(want, got.text)
	case 't':
		return strings.EqualFold(want, got.text) || strings.EqualFold(want, got.text[:1])
	case 'b':
		return strings.EqualFold(strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(want), "x'"), "'"), got.text)
	}
	if quoted, ok := strings.CutPrefix(want, "'"); ok && strings.HasSuffix(quoted, "'") {
		return quoted[:len(quoted)-1] == got.text
	}
	return !null && want == strings.TrimSpace(got.text)
}

// close compares numbers: whole ones and decimals exactly, floating ones as far
// as their sums can be trusted.
func (c *comparison) close(want, got string) bool {
	a, okA := rational(want)
	b, okB := rational(got)
	if okA && okB && a.Cmp(b) == 0 {
		return true
	}
	x, errX := strconv.ParseFloat(want, 64)
	y, errY := strconv.ParseFloat(got, 64)
	if errX != nil || errY != nil {
		return false
	}
	if whole(want) && whole(got) && c.tolerance == 0 || math.IsNaN(x) || math.IsNaN(y) || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return math.IsNaN(x) && math.IsNaN(y) || math.IsInf(x, 0) && x == y
	}
	allowed := max(c.tolerance, 1e-9*max(math.Abs(x), math.Abs(y)))
	return math.Abs(x-y) <= allowed
}

func whole(s string) bool { return !strings.ContainsAny(s, ".eE") }

// rational reads a number exactly, if it is of a size that this is worth.
func rational(s string) (*big.Rat, bool) {
	if len(s) > 64 || strings.ContainsAny(s, "eE/_xX") {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// key is the same for rows whose values are equal.
func key(row []cell) string {
	var b strings.Builder
	for _, v := range row {
		text := v.text
		if v.kind == 'n' {
			if r, ok := rational(text); ok {
				text = r.RatString()
			}
		}
		b.WriteByte(v.kind)
		b.WriteString(strconv.Itoa(len(text)))
		b.WriteByte(':')
		b.WriteString(text)
	}
	return b.String()
}

// asTable is a literal as a table with as many columns as it has, or as the
// other has where it has no row to count.
func (l *literal) asTable(got *table) *table {
	t := &table{Columns: l.columns}
	if l.columns == nil {
		n := l.width()
		if n < 0 {
			n = len(got.Columns)
		}
		t.Columns = make([]string, n)
	}
	for _, row := range l.rows {
		cells := make([]cell, len(row))
		for i, text := range row {
			cells[i] = cell{kind: 'l', text: text}
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}
