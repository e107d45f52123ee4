package mutate

import (
	"slices"

	"github.com/goals-tracker/tracker/plugins/internal/mutants"
)

// wrongNames have a function take one of its parameters for the next.
func wrongNames(all []statement) (out []mutants.Edit) {
	type scope struct {
		indent int
		params []string
	}
	var open []scope
	for _, s := range all {
		for len(open) > 0 && s.indent <= open[len(open)-1].indent {
			open = open[:len(open)-1]
		}
		if params := parameters(s.tokens); params != nil {
			open = append(open, scope{s.indent, params})
			continue
		}
		if len(open) == 0 || s.tokens[0].text == "def" || s.tokens[0].text == "del" {
			continue
		}
		params := open[len(open)-1].params
		for i, t := range s.tokens {
			at := slices.Index(params, t.text)
			if t.kind != name || at < 0 || len(params) < 2 || i > 0 && (s.tokens[i-1].text == "." || s.tokens[i-1].text == "for") {
				continue
			}
			if i+1 < len(s.tokens) && slices.Contains([]string{"(", "=", ":"}, s.tokens[i+1].text) || i+1 < len(s.tokens) && s.tokens[i+1].text == ":=" {
				continue
			}
			out = append(out, mutants.Edit{Operator: "wrong-name", Start: t.start, End: t.end, With: params[(at+1)%len(params)]})
		}
	}
	return out
}

// parameters are the names that a def binds, but for self; nil of what is no def.
func parameters(ts []token) []string {
	at := slices.IndexFunc(ts, func(t token) bool { return t.text == "(" })
	if at < 2 || ts[at-2].text != "def" {
		return nil
	}
	out := []string{}
	end := closing(ts, at)
	for i := at + 1; i < end; i++ {
		t, prev := ts[i], ts[i-1]
		if t.kind == name && t.depth == ts[at].depth+1 && (prev.text == "(" || prev.text == ",") && t.text != "self" && t.text != "cls" {
			out = append(out, t.text)
		}
	}
	return out
}
