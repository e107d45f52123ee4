package sqltext

import (
	"slices"
	"strings"
)

// Remark is a place at which something is probably not meant as it is written.
type Remark struct {
	// Rule is one of the Rule constants.
	Rule string
	// Name is what the remark is about: a column, an operator.
	Name       string
	Start, End int // offsets in bytes of the whole text
}

// What remarks are about.
const (
	RuleNull       = "null-comparison"
	RuleStar       = "select-star"
	RuleBareColumn = "ungrouped-column"
	RuleNoWhere    = "no-where"
)

// Remarks are what can be said of a statement without running it.
func (s *Statement) Remarks() []Remark {
	var out []Remark
	out = append(out, s.nullComparisons()...)
	for _, q := range s.selects() {
		out = append(out, q.remarks()...)
	}
	if first := s.Tokens; len(first) > 1 && (first[0].Is("UPDATE") || first[0].Is("DELETE")) {
		if !slices.ContainsFunc(first, func(t Token) bool { return t.Is("WHERE") }) {
			out = append(out, Remark{Rule: RuleNoWhere, Name: first[0].Text, Start: first[0].Start, End: first[0].End})
		}
	}
	return out
}

// nullComparisons finds = NULL where it compares: in UPDATE … SET it assigns.
func (s *Statement) nullComparisons() []Remark {
	var out []Remark
	assigns := false
	depth := 0
	for i, t := range s.Tokens {
		depth += nesting(t)
		switch {
		case t.Is("SET") && depth == 0:
			assigns = true
		case t.Is("WHERE"), t.Is("SELECT"), t.Is("WHEN"), t.Is("ON"), t.Is("HAVING"):
			assigns = false
		case t.Is("NULL") && i > 0 && !assigns:
			op := s.Tokens[i-1]
			if op.Kind == Symbol && slices.Contains([]string{"=", "==", "<>", "!="}, op.Text) {
				out = append(out, Remark{Rule: RuleNull, Name: op.Text, Start: op.Start, End: t.End})
			}
		}
	}
	return out
}

// query is one SELECT: its list and what it is grouped by.
type query struct {
	list   [][]Token // terms between SELECT and FROM
	group  [][]Token
	from   bool
	exists bool
}

var listEnds = []string{"FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "HAVING", "WINDOW", "INTO"}

// selects finds every SELECT, at whatever depth. Each token belongs to the
// innermost one.
func (s *Statement) selects() []*query {
	type level struct {
		q    *query
		part *[][]Token
	}
	var all []*query
	stack := []level{{}}
	add := func(t Token) {
		if p := stack[len(stack)-1].part; p != nil {
			*p = append((*p)[:len(*p)-1], append((*p)[len(*p)-1], t))
		}
	}
	for i, t := range s.Tokens {
		top := &stack[len(stack)-1]
		switch {
		case nesting(t) == 1:
			// What is in brackets stays visible to the term as one symbol.
			add(t)
			stack = append(stack, level{})
		case nesting(t) == -1:
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
		case t.Is("SELECT"):
			q := &query{list: [][]Token{nil}, exists: i > 1 && s.Tokens[i-2].Is("EXISTS")}
			all = append(all, q)
			*top = level{q: q, part: &q.list}
		case top.q == nil || t.Is("BY"):
		case t.Kind == Word && slices.ContainsFunc(listEnds, t.Is):
			top.part = top.q.next(t)
		case t.Text == "," && top.part != nil:
			*top.part = append(*top.part, nil)
		default:
			add(t)
		}
	}
	return all
}

// next is the part that a keyword begins, nil when nobody asks for it.
func (q *query) next(t Token) *[][]Token {
	q.from = q.from || t.Is("FROM")
	if !t.Is("GROUP") {
		return nil
	}
	q.group = [][]Token{nil}
	return &q.group
}

var aggregates = []string{"COUNT", "SUM", "AVG", "MIN", "MAX", "TOTAL", "GROUP_CONCAT", "STRING_AGG", "ARRAY_AGG", "BOOL_AND", "BOOL_OR", "JSON_GROUP_ARRAY"}

func (q *query) remarks() []Remark {
	var out []Remark
	aggregate := false
	for _, term := range q.list {
		if len(term) > 0 && (term[0].Is("DISTINCT") || term[0].Is("ALL")) {
			term = term[1:]
		}
		star := len(term) == 1 && term[0].Text == "*" || len(term) == 3 && term[1].Text == "." && term[2].Text == "*"
		if star && q.from && !q.exists {
			t := term[len(term)-1]
			out = append(out, Remark{Rule: RuleStar, Start: t.Start, End: t.End})
		}
		aggregate = aggregate || calls(term)
	}
	if !aggregate || q.hasKey() {
		return out
	}
	for _, term := range q.list {
		if name, ok := bare(term); ok && !q.groups(name) {
			out = append(out, Remark{Rule: RuleBareColumn, Name: name, Start: term[0].Start, End: term[len(term)-1].End})
		}
	}
	return out
}

// calls says whether a term calls an aggregate that is no window function.
func calls(term []Token) bool {
	if slices.ContainsFunc(term, func(t Token) bool { return t.Is("OVER") }) {
		return false
	}
	for i, t := range term[:max(0, len(term)-1)] {
		if t.Kind == Word && term[i+1].Text == "(" && slices.ContainsFunc(aggregates, t.Is) {
			return true
		}
	}
	return false
}

// bare returns the column that a term is, and nothing but.
func bare(term []Token) (string, bool) {
	expr := term
	for i, t := range term {
		if t.Is("AS") {
			expr = term[:i]
			break
		}
	}
	switch {
	case len(expr) == 1 && expr[0].Kind <= Quoted && !expr[0].Is("NULL"):
		return expr[0].Name(), true
	case len(expr) == 3 && expr[1].Text == "." && expr[2].Kind <= Quoted:
		return expr[2].Name(), true
	}
	return "", false
}

// hasKey says whether the groups are those of a key, on which other columns depend.
func (q *query) hasKey() bool {
	for _, term := range q.group {
		name, ok := bare(term)
		if !ok || isKey(name) {
			return true // an expression may be anything, a position too
		}
	}
	return false
}

func isKey(name string) bool {
	n := len(name)
	return n >= 2 && (name[n-2:] == "id" || name[n-2:] == "ID" || name[n-2:] == "Id")
}

func (q *query) groups(name string) bool {
	for _, term := range q.group {
		if g, ok := bare(term); ok && strings.EqualFold(g, name) {
			return true
		}
	}
	return false
}
