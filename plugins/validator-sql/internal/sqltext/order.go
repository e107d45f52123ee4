package sqltext

import (
	"slices"
	"strconv"
	"strings"
)

// OrderBy says whether the statement orders its result, and by which of its
// columns, counted from 0. Columns are nil when an expression decides that is
// none of them: then every row has its place.
func (s *Statement) OrderBy(columns []string) (ordered bool, keys []int) {
	terms := s.orderTerms()
	if terms == nil {
		return false, nil
	}
	for _, term := range terms {
		k := column(term, columns)
		if k < 0 {
			return true, nil
		}
		keys = append(keys, k)
	}
	return true, keys
}

// orderTerms are the tokens of each term of the outermost ORDER BY, nil when
// there is none.
func (s *Statement) orderTerms() [][]Token {
	depth, start := 0, -1
	for i, t := range s.Tokens {
		depth += nesting(t)
		if depth == 0 && t.Is("ORDER") && i+1 < len(s.Tokens) && s.Tokens[i+1].Is("BY") {
			start = i + 2
		}
	}
	if start < 0 {
		return nil
	}
	terms := [][]Token{nil}
	depth = 0
	for _, t := range s.Tokens[start:] {
		if depth == 0 && (t.Is("LIMIT") || t.Is("OFFSET") || t.Is("FETCH") || t.Is("FOR")) {
			break
		}
		depth += nesting(t)
		if depth == 0 && t.Text == "," {
			terms = append(terms, nil)
			continue
		}
		terms[len(terms)-1] = append(terms[len(terms)-1], t)
	}
	return terms
}

// column returns which result column a term names, or -1.
func column(term []Token, columns []string) int {
	for len(term) > 0 && slices.ContainsFunc([]string{"ASC", "DESC", "NULLS", "FIRST", "LAST"}, term[len(term)-1].Is) {
		term = term[:len(term)-1]
	}
	switch {
	case len(term) == 1 && term[0].Kind == Number:
		n, err := strconv.Atoi(term[0].Text)
		if err == nil && n >= 1 && n <= len(columns) {
			return n - 1
		}
	case len(term) == 1 && (term[0].Kind == Word || term[0].Kind == Quoted),
		len(term) == 3 && term[1].Text == "." && term[2].Kind <= Quoted:
		for i, c := range columns {
			if strings.EqualFold(c, term[len(term)-1].Name()) {
				return i
			}
		}
	}
	return -1
}

func nesting(t Token) int {
	if t.Kind == Symbol {
		switch t.Text {
		case "(":
			return 1
		case ")":
			return -1
		}
	}
	return 0
}
