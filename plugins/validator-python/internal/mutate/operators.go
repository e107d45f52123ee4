package mutate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goals-tracker/tracker/plugins/internal/mutants"
)

var (
	comparisons = map[string]string{"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
	arithmetic  = map[string]string{
		"+": "-", "-": "+", "*": "+", "/": "*", "//": "*", "%": "*", "**": "*", "+=": "-=", "-=": "+=", "*=": "+=", "/=": "*=", "//=": "*=", "%=": "+=",
	}
	// otherwise are what takes the place of an operator besides the change above.
	otherwise = map[string][]string{
		"<": {">", "!="}, "<=": {">=", "=="}, ">": {"<", "!="}, ">=": {"<=", "=="}, "==": {"<", ">"}, "!=": {"<", ">"},
		"+": {"*"}, "-": {"*"}, "*": {"-", "**"}, "/": {"-", "+"}, "//": {"-", "%"}, "%": {"//", "-"}, "+=": {"=", "*="}, "-=": {"="}, "*=": {"="},
	}
	functions = map[string]string{
		"min": "max", "max": "min", "any": "all", "all": "any", "upper": "lower", "lower": "upper", "startswith": "endswith", "endswith": "startswith",
		"floor": "ceil", "ceil": "floor", "isupper": "islower", "islower": "isupper", "lstrip": "rstrip", "rstrip": "lstrip", "issubset": "issuperset", "issuperset": "issubset",
	}
	keywords = strings.Fields("and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield")
)

// operand says whether a token ends a value, so that an operator after it has
// two sides and a bracket after it is an index or a call.
func operand(t token) bool {
	switch t.kind {
	case name:
		return !slices.Contains(keywords, t.text)
	case number, text:
		return true
	}
	return t.text == ")" || t.text == "]" || t.text == "}" || t.text == "..."
}

// within are the changes of single tokens.
func within(s statement) []mutants.Edit {
	var out []mutants.Edit
	ts := s.tokens
	at := func(i int) token {
		if i < 0 || i >= len(ts) {
			return token{}
		}
		return ts[i]
	}
	for i, t := range ts {
		change := func(operator, with string) {
			out = append(out, mutants.Edit{Operator: operator, Start: t.start, End: t.end, With: with})
		}
		prev, next := at(i-1), at(i+1)
		switch {
		case t.kind == operator && comparisons[t.text] != "" && operand(prev):
			change("swap-comparison", comparisons[t.text])
			for _, with := range otherwise[t.text] {
				change("other-comparison", with)
			}
		case t.kind == operator && arithmetic[t.text] != "" && operand(prev) && !star(ts, i):
			change("swap-arithmetic", arithmetic[t.text])
			out = append(out, sides(ts, i)...)
			for _, with := range otherwise[t.text] {
				change("other-arithmetic", with)
			}
		case t.text == "and" && t.kind == name:
			change("swap-logic", "or")
		case t.text == "or" && t.kind == name:
			change("swap-logic", "and")
		case t.text == "True" && t.kind == name:
			change("swap-boolean", "False")
		case t.text == "False" && t.kind == name:
			change("swap-boolean", "True")
		case t.text == "break" && len(ts) == i+1:
			change("leave-loop", "pass")
		case t.text == "continue" && len(ts) == i+1:
			change("leave-loop", "break")
		case t.text == "not" && t.kind == name && prev.text != "is" && next.text == "in":
			out = append(out, mutants.Edit{Operator: "negate-membership", Start: t.start, End: next.end, With: "in"})
		case t.text == "not" && t.kind == name && prev.text == "is":
			out = append(out, mutants.Edit{Operator: "negate-membership", Start: prev.start, End: t.end, With: "is"})
		case t.text == "not" && t.kind == name:
			out = append(out, mutants.Edit{Operator: "remove-not", Start: t.start, End: next.start, With: ""})
		case t.text == "is" && t.kind == name && next.text != "not":
			change("negate-membership", "is not")
		case t.text == "in" && t.kind == name && operand(prev) && !inFor(ts, i):
			change("negate-membership", "not in")
		case t.text == "." && t.kind == operator && at(i+2).text == "(" && at(i+3).text == ")" && operand(prev) && prev.kind != number && i > 1:
			out = append(out, mutants.Edit{Operator: "remove-call", Start: t.start, End: at(i + 3).end, With: ""})
		case t.kind == name && functions[t.text] != "" && next.text == "(" && prev.text != "def":
			change("swap-function", functions[t.text])
		case t.kind == name && t.text == "range" && next.text == "(":
			if end := closing(ts, i+1); end > 0 && commas(ts, i+1, end) <= 1 && end > i+2 && ts[end-1].text != "," {
				out = append(out, mutants.Edit{Operator: "short-range", Start: ts[end].start, End: ts[end].start, With: " - 1"})
			}
		case t.kind == number:
			out = append(out, numbers(ts, i)...)
		case t.kind == text && ts[0].text != "raise" && ts[0].text != "assert" && !blank(t.text) && prev.kind != text && next.kind != text:
			change("empty-text", emptied(t.text))
			change("longer-text", lengthened(t.text))
		case (t.text == "[" || t.text == "{") && t.kind == operator && !operand(prev) && i > 0:
			if end := closing(ts, i); end > i+1 && !assigned(ts, end) {
				out = append(out, mutants.Edit{Operator: "empty-collection", Start: ts[i+1].start, End: ts[end].start, With: ""})
			}
		}
	}
	return out
}

// sides leave out one side of an operator, where it is a name or a number that
// nothing else clings to.
func sides(ts []token, i int) (out []mutants.Edit) {
	clings := func(j int) bool {
		return j >= 0 && j < len(ts) && strings.Contains(".([**%//*/", ts[j].text) && ts[j].kind == operator
	}
	if strings.HasSuffix(ts[i].text, "=") || i+1 >= len(ts) {
		return nil
	}
	if next := ts[i+1]; (next.kind == name || next.kind == number) && !slices.Contains(keywords, next.text) && !clings(i+2) {
		out = append(out, mutants.Edit{Operator: "one-side", Start: ts[i].start, End: next.end, With: ""})
	}
	if prev := ts[i-1]; (prev.kind == name || prev.kind == number) && !clings(i-2) && ts[i].text != "-" {
		out = append(out, mutants.Edit{Operator: "one-side", Start: prev.start, End: ts[i+1].start, With: ""})
	}
	return out
}

// numbers are the changes of a whole number.
func numbers(ts []token, i int) []mutants.Edit {
	t := ts[i]
	value, err := strconv.Atoi(t.text)
	if err != nil {
		return nil
	}
	before := func(n int) token {
		if i-n < 0 {
			return token{}
		}
		return ts[i-n]
	}
	closes := i+1 < len(ts) && ts[i+1].text == "]"
	switch {
	case closes && before(1).text == "[" && operand(before(2)):
		with := strconv.Itoa(value + 1)
		if value == 0 {
			with = "-1"
		}
		return []mutants.Edit{{Operator: "wrong-index", Start: t.start, End: t.end, With: with}}
	case closes && before(1).text == "-" && before(2).text == "[" && operand(before(3)) && value == 1:
		return []mutants.Edit{{Operator: "wrong-index", Start: before(1).start, End: t.end, With: "0"}}
	}
	return []mutants.Edit{
		{Operator: "off-by-one", Start: t.start, End: t.end, With: strconv.Itoa(value + 1)},
		{Operator: "off-by-one-down", Start: t.start, End: t.end, With: fmt.Sprintf("(%d)", value-1)},
	}
}

// whole are the changes of a statement.
func whole(s statement) []mutants.Edit {
	ts := s.tokens
	first, last := ts[0], ts[len(ts)-1]
	switch first.text {
	case "if", "elif", "while":
		colon := -1
		for i, t := range ts {
			if t.depth == 0 && t.text == "lambda" {
				return nil
			}
			if t.depth == 0 && t.text == ":" {
				colon = i
				break
			}
		}
		if colon > 1 && first.text != "while" || colon > 2 {
			cond := source(ts[1:colon])
			out := []mutants.Edit{{Operator: "negate-condition", Start: ts[1].start, End: ts[colon-1].end, With: "not (" + cond + ")"}}
			if first.text != "while" { // a loop that never ends takes all the time there is
				out = append(out, mutants.Edit{Operator: "fixed-condition", Start: ts[1].start, End: ts[colon-1].end, With: "True"})
			}
			return append(out, mutants.Edit{Operator: "fixed-condition", Start: ts[1].start, End: ts[colon-1].end, With: "False"})
		}
	case "return":
		if len(ts) > 1 && ts[1].text != "None" {
			out := []mutants.Edit{{Operator: "return-none", Start: ts[1].start, End: last.end, With: "None"}}
			for _, with := range []string{"0", "\"\"", "True", "[]", "-1"} {
				if source(ts[1:]) != with {
					out = append(out, mutants.Edit{Operator: "return-constant", Start: ts[1].start, End: last.end, With: with})
				}
			}
			return out
		}
	default:
		if removable(ts) {
			return []mutants.Edit{{Operator: "remove-statement", Start: first.start, End: last.end, With: "pass"}}
		}
	}
	return nil
}

// removable are calls whose value nobody takes, and changes of a variable.
func removable(ts []token) bool {
	if ts[0].kind != name || slices.Contains(keywords, ts[0].text) || ts[0].text == "super" || len(ts) < 3 {
		return false
	}
	for _, t := range ts {
		if t.depth == 0 && (t.text == ";" || t.text == ":") {
			return false
		}
	}
	for i, t := range ts {
		if t.depth != 0 || t.kind != operator {
			continue
		}
		if len(t.text) > 1 && strings.HasSuffix(t.text, "=") && comparisons[t.text] == "" && t.text != ":=" {
			return true
		}
		if t.text == "=" { // of an item or attribute; a name would only be missing later
			return i > 1 && ts[i-1].text == "]"
		}
	}
	return ts[len(ts)-1].text == ")" && closing(ts, slices.IndexFunc(ts, func(t token) bool { return t.text == "(" })) > 0
}

// source is the text of tokens with single blanks between, which is only used
// for conditions: brackets keep line breaks harmless.
func source(ts []token) string {
	var b strings.Builder
	for i, t := range ts {
		if i > 0 && ts[i-1].end < t.start {
			b.WriteByte(' ')
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// closing returns the index of the bracket that closes the one at i, or 0.
func closing(ts []token, i int) int {
	if i < 0 {
		return 0
	}
	for j := i + 1; j < len(ts); j++ {
		if ts[j].depth == ts[i].depth && ts[j].kind == operator && strings.Contains(")]}", ts[j].text) {
			return j
		}
	}
	return 0
}

func commas(ts []token, from, to int) int {
	n := 0
	for _, t := range ts[from+1 : to] {
		if t.text == "," && t.depth == ts[from].depth+1 {
			n++
		}
	}
	return n
}

// inFor says whether the "in" at i belongs to a for.
func inFor(ts []token, i int) bool {
	open := 0
	for _, t := range ts[:i] {
		if t.depth != ts[i].depth {
			continue
		}
		switch t.text {
		case "for":
			open++
		case "in":
			open = max(open-1, 0)
		}
	}
	return open > 0
}

// star says whether the operator is the star of a parameter, not a product.
func star(ts []token, i int) bool {
	return strings.HasPrefix(ts[i].text, "*") && i+1 < len(ts) && (ts[i+1].text == "," || ts[i+1].text == ")")
}

// assigned says whether what ends at i is a target.
func assigned(ts []token, i int) bool {
	return ts[i].depth == 0 && i+1 < len(ts) && (ts[i+1].text == "=" || ts[i+1].text == ",") || i+1 < len(ts) && ts[i+1].text == ":" && ts[0].text == "lambda"
}

func quoteOf(s string) (int, string) {
	m := stringStart.FindStringSubmatch(s)
	return len(m[0]), m[1]
}

func blank(s string) bool {
	begin, quote := quoteOf(s)
	return begin+len(quote) >= len(s)
}

// lengthened is a text with a letter more at its end.
func lengthened(s string) string {
	_, quote := quoteOf(s)
	return s[:len(s)-len(quote)] + "x" + quote
}

func emptied(s string) string {
	begin, quote := quoteOf(s)
	return s[:begin-len(quote)] + quote[:1] + quote[:1]
}
