package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/mutants"
	"github.com/goals-tracker/tracker/plugins/validator-sql/internal/sqltext"
	"github.com/goals-tracker/tracker/sdk/validator"
)

// mutate makes small faulty variants of a solution. It reads the text only.
func mutate(ctx context.Context, req *validator.Request, limit int) ([]validator.Mutant, error) {
	l, err := arrange(req)
	if err != nil {
		return nil, err
	}
	var sources []mutants.Source
	for _, name := range l.names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f := req.Submission.File(name)
		if s := l.scripts[name]; s.text == string(f.Content) { // nothing that is no text
			e := editor{text: s.text}
			for _, statement := range s.statements {
				e.statement(statement.Tokens)
			}
			sources = append(sources, mutants.Source{Path: name, Text: s.text, Edits: e.out})
		}
	}
	return mutants.Make("sql.mutant", sources, limit), nil
}

var (
	comparisons = map[string][]string{"<": {"<=", ">"}, "<=": {"<", ">="}, ">": {">=", "<"}, ">=": {">", "<="}, "=": {"<>", ">"}, "==": {"<>"}, "<>": {"="}, "!=": {"="}}
	arithmetic  = map[string][]string{"+": {"-", "*"}, "-": {"+", "*"}, "*": {"+", "-"}, "/": {"*", "-"}, "%": {"*", "/"}}
	aggregates  = map[string]string{"MIN": "MAX", "MAX": "MIN", "SUM": "AVG", "AVG": "SUM", "COUNT": "MAX"}
	functions   = map[string]string{"UPPER": "LOWER", "LOWER": "UPPER", "LTRIM": "RTRIM", "RTRIM": "LTRIM", "FLOOR": "CEIL", "CEIL": "FLOOR", "RANK": "DENSE_RANK", "DENSE_RANK": "RANK", "LAG": "LEAD", "LEAD": "LAG"}
	// clauses are the words that begin a part of a statement.
	clauses = []string{"SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT", "SET", "VALUES", "ON", "JOIN", "LEFT", "INNER", "CROSS", "RIGHT", "FULL", "WINDOW", "RETURNING"}
	words   = append(strings.Fields("AND OR NOT IN IS LIKE BETWEEN CASE WHEN THEN ELSE BY AS DISTINCT ALL"), clauses...)
)

// editor collects the changes of a file.
type editor struct {
	text string
	out  []mutants.Edit
}

func (e *editor) add(operator string, start, end int, with string) {
	e.out = append(e.out, mutants.Edit{Operator: operator, Start: start, End: end, With: with})
}

// statement makes the changes of a statement.
func (e *editor) statement(ts []sqltext.Token) {
	if len(ts) == 0 || !slices.ContainsFunc([]string{"SELECT", "WITH", "UPDATE", "DELETE", "INSERT", "CREATE", "VALUES", "("}, func(w string) bool { return strings.EqualFold(w, ts[0].Text) }) {
		return
	}
	clause, between := "", false
	for i, t := range ts {
		if w := strings.ToUpper(t.Text); t.Kind == sqltext.Word && slices.Contains(clauses, w) {
			clause = w
			e.clause(ts, i)
		}
		switch {
		case t.Is("BETWEEN"):
			between = true
		case t.Is("AND") && between:
			between = false
			continue
		}
		switch t.Kind {
		case sqltext.Word:
			e.word(ts, i)
		case sqltext.Symbol:
			e.symbol(ts, i, clause)
		case sqltext.Number:
			if n, err := strconv.Atoi(t.Text); err == nil {
				e.add("off-by-one", t.Start, t.End, strconv.Itoa(n+1))
				if n > 1 || n == 1 && clause != "ORDER" && clause != "GROUP" { // no column is the 0th
					e.add("off-by-one-down", t.Start, t.End, strconv.Itoa(n-1))
				}
			}
		case sqltext.Text:
			if strings.HasPrefix(t.Text, "'") && len(t.Text) > 2 {
				e.add("empty-text", t.Start, t.End, "''")
				e.add("longer-text", t.Start, t.End, t.Text[:len(t.Text)-1]+"x'")
			}
		}
	}
}

func at(ts []sqltext.Token, i int) sqltext.Token {
	if i < 0 || i >= len(ts) {
		return sqltext.Token{Kind: sqltext.Symbol}
	}
	return ts[i]
}

// value says whether a token can be one side of an operator.
func value(t sqltext.Token, closing string) bool {
	return t.Kind != sqltext.Symbol && (t.Kind != sqltext.Word || !slices.Contains(words, strings.ToUpper(t.Text))) || t.Text == closing
}

func (e *editor) symbol(ts []sqltext.Token, i int, clause string) {
	t := ts[i]
	if !value(at(ts, i-1), ")") || !value(at(ts, i+1), "(") && at(ts, i+1).Text != "-" {
		return
	}
	if c := comparisons[t.Text]; c != nil && (clause != "SET" || t.Text != "=") {
		e.add("swap-comparison", t.Start, t.End, c[0])
		for _, with := range c[1:] {
			e.add("other-comparison", t.Start, t.End, with)
		}
	}
	if a := arithmetic[t.Text]; a != nil {
		e.add("swap-arithmetic", t.Start, t.End, a[0])
		e.add("other-arithmetic", t.Start, t.End, a[1])
	}
}

func (e *editor) word(ts []sqltext.Token, i int) {
	t, prev, next := ts[i], at(ts, i-1), at(ts, i+1)
	w := strings.ToUpper(t.Text)
	call := next.Text == "(" && prev.Text != "."
	switch {
	case w == "AND":
		e.add("swap-logic", t.Start, t.End, "OR")
	case w == "OR" && !prev.Is("INSERT") && !prev.Is("CREATE"):
		e.add("swap-logic", t.Start, t.End, "AND")
	case aggregates[w] != "" && call && at(ts, i+2).Text != "*":
		e.add("swap-aggregate", t.Start, t.End, aggregates[w])
	case functions[w] != "" && call:
		e.add("swap-function", t.Start, t.End, functions[w])
	case w == "DISTINCT":
		e.add("remove-distinct", t.Start, next.Start, "")
	case w == "ASC":
		e.add("swap-order", t.Start, t.End, "DESC")
	case w == "DESC":
		e.add("swap-order", t.Start, t.End, "ASC")
	case w == "NOT" && (next.Is("IN") || next.Is("LIKE") || next.Is("BETWEEN") || next.Is("EXISTS") || next.Is("NULL") && prev.Is("IS")):
		e.add("negate-membership", t.Start, next.Start, "")
	case w == "NOT" && next.Text == "(":
		e.add("remove-not", t.Start, next.Start, "")
	case w == "IS" && next.Is("NULL"):
		e.add("negate-membership", t.End, t.End, " NOT")
	case (w == "IN" || w == "LIKE" || w == "BETWEEN") && value(prev, ")"):
		e.add("negate-membership", t.Start, t.Start, "NOT ")
	case w == "EXISTS" && !prev.Is("NOT") && !prev.Is("IF"):
		e.add("negate-membership", t.Start, t.Start, "NOT ")
	}
}

// clause makes the changes of a whole part of a statement.
func (e *editor) clause(ts []sqltext.Token, i int) {
	t, next := ts[i], at(ts, i+1)
	end := part(ts, i)
	switch strings.ToUpper(t.Text) {
	case "WHERE", "HAVING":
		if last := at(ts, end-1); end > i+1 {
			e.add("negate-condition", next.Start, last.End, "NOT ("+e.text[next.Start:last.End]+")")
			e.add("fixed-condition", next.Start, last.End, "1 = 0")
		}
		fallthrough
	case "LIMIT", "OFFSET", "GROUP":
		if last := at(ts, end-1); end > i+1 {
			e.add("remove-clause", t.Start, last.End, "")
		}
	case "ORDER":
		e.order(ts, i, end)
	case "LEFT":
		if next.Is("JOIN") {
			e.add("swap-join", t.Start, next.Start, "")
		} else if next.Is("OUTER") {
			e.add("swap-join", t.Start, at(ts, i+2).Start, "")
		}
	case "INNER":
		e.add("swap-join", t.Start, t.End, "LEFT")
	case "JOIN":
		if prev := at(ts, i-1); !slices.ContainsFunc([]string{"LEFT", "INNER", "OUTER", "CROSS", "NATURAL", "RIGHT", "FULL"}, prev.Is) {
			e.add("swap-join", t.Start, t.Start, "LEFT ")
		}
	case "UNION":
		if next.Is("ALL") {
			e.add("swap-set", t.End, next.End, "")
		} else {
			e.add("swap-set", t.End, t.End, " ALL")
			e.add("swap-set", t.Start, t.End, "INTERSECT")
		}
	case "INTERSECT", "EXCEPT":
		e.add("swap-set", t.Start, t.End, "UNION")
	}
}

// order turns the order of a part around that names none, or leaves it out.
func (e *editor) order(ts []sqltext.Token, i, end int) {
	if !at(ts, i+1).Is("BY") || end <= i+2 {
		return
	}
	e.add("remove-clause", ts[i].Start, ts[end-1].End, "")
	depth := 0
	for j := i + 2; j < end; j++ {
		switch ts[j].Text {
		case "(":
			depth++
		case ")":
			depth--
		}
		if last := j == end-1 || depth == 0 && ts[j+1].Text == ","; last && !ts[j].Is("ASC") && !ts[j].Is("DESC") && !ts[j].Is("FIRST") && !ts[j].Is("LAST") {
			e.add("swap-order", ts[j].End, ts[j].End, " DESC")
		}
	}
}

// part is where the part of a statement that begins at i ends.
func part(ts []sqltext.Token, i int) int {
	depth := 0
	for j := i + 1; j < len(ts); j++ {
		switch t := ts[j]; {
		case t.Text == "(":
			depth++
		case t.Text == ")" && depth == 0, t.Text == ";":
			return j
		case t.Text == ")":
			depth--
		case depth == 0 && t.Kind == sqltext.Word && slices.Contains(clauses, strings.ToUpper(t.Text)):
			return j
		}
	}
	return len(ts)
}
